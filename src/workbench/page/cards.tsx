import { useEffect, useRef } from 'preact/hooks';
import { CardView } from './card.tsx';
import { Controls } from './controls.tsx';
import { Comparison } from './diff.tsx';
import { titleOf } from './patients-tab.tsx';
import { problemsOf } from './service.ts';
import type { Reaction, Workbench } from './state.ts';
import { type Card, type Json, objectOf, type Patient } from './wire.ts';

/** The answer as a record system shows it: cards, no card, or what is missing. */
export function Cards({ bench }: { bench: Workbench }) {
  const { request, answer, busy, trouble, cards, reactions } = bench;
  const heading = useRef<HTMLHeadingElement>(null);
  const { origin } = bench;
  // After choosing another patient the user wants to read on here.
  useEffect(() => {
    if (!origin) return;
    heading.current?.focus({ preventScroll: true });
    heading.current?.scrollIntoView({ block: 'nearest' });
  }, [origin]);
  if (!request) return <Welcome bench={bench} />;
  return (
    <>
      <div class="about">
        <h2 ref={heading} tabIndex={-1}>
          {origin?.kind === 'patient' ? titleOf(origin.patient) : (origin?.title ?? 'Request')}
        </h2>
        {origin?.kind === 'patient' ? <p class="note">{origin.patient.note}</p> : null}
        <Controls bench={bench} request={request} />
        {origin?.kind === 'patient' && answer ? <Expected patient={origin.patient} bench={bench} /> : null}
      </div>
      <p class="visually-hidden" role="status">
        {busy ? 'Asking …' : (trouble ?? (answer ? summaryOf(answer.status, cards) : ''))}
      </p>
      {reactions.map((reaction) => (
        <ReactionView
          key={reaction.topic}
          reaction={reaction}
          given={cards?.some(({ source }) => source.topic.code === reaction.topic)}
        />
      ))}
      <div class={busy ? 'answer busy' : 'answer'} aria-busy={busy}>
        <Unrecognised bench={bench} />
        {trouble ? <Fault title="No answer" lines={[trouble]} bench={bench} /> : null}
        {busy && !answer && !trouble ? <Skeleton /> : null}
        {!trouble && answer && !cards ? <Refused bench={bench} request={request} /> : null}
        {cards?.length === 0 ? <Silence bench={bench} /> : null}
        {cards?.map((card) => (
          <CardView key={card.source.topic.code} card={card} bench={bench} request={request} />
        ))}
      </div>
    </>
  );
}

function summaryOf(status: number, cards: Card[] | undefined): string {
  if (!cards) return `The service answered ${status}.`;
  if (cards.length === 0) return 'No card.';
  return `${cards.length === 1 ? '1 card' : `${cards.length} cards`}: ${cards.map(({ indicator }) => indicator).join(', ')}.`;
}

function Skeleton() {
  return (
    <div class="skeleton" aria-hidden="true">
      <div />
      <div />
      <div />
    </div>
  );
}

/** Whether the answer is the one that the file beside the request expects. Only for the unchanged request. */
function Expected({ patient, bench }: { patient: Patient; bench: Workbench }) {
  const { answer, cards, reactions } = bench;
  const asWritten = reactions.length === 0 && bench.request?.['hookInstance'] === bench.written;
  if (!answer || !asWritten) return null;
  const wanted = patient.missing
    ? `412, ${patient.missing.join(', ')} missing`
    : (patient.cards ?? []).map(({ rule, indicator }) => `${rule} (${indicator})`).join(', ') || 'silence';
  const got = cards
    ? cards.map(({ source, indicator }) => `${source.topic.code} (${indicator})`).join(', ') || 'silence'
    : `${answer.status}, ${problemsOf(answer.body)
        .slice(1)
        .map((text) => text.split(' ').at(-1))
        .join(', ')} missing`;
  const same = wanted === got;
  const elsewhere = patient.site
    ? ` This patient belongs to a site with other settings (${patient.site.join(', ')}).`
    : '';
  return (
    <p class={same ? 'expected-note' : 'expected-note differs'}>
      {same ? '✓ This is what its test bundle expects.' : `≠ Its test bundle expects ${wanted}.`}
      {same ? '' : elsewhere || ' If hooks/ or cards/ were changed, npm run check says more.'}
    </p>
  );
}

const unread: Record<string, string> = {
  unrecognised: 'its medicine was not recognised',
  unresolved: 'its medicine was only referenced, and did not arrive',
  'no-medicine': 'it names no medicine',
  'other-patient': 'it belongs to another patient',
  'fhir-version': 'its FHIR version is not supported',
};

/** Orders that could not be read: no card does not mean that they are harmless. */
function Unrecognised({ bench }: { bench: Workbench }) {
  const left = (bench.trace?.leftOut ?? []).filter(({ what, why }) => what === 'order' && why in unread);
  if (left.length === 0) return null;
  return (
    <ul class="plain unrecognised">
      {left.map(({ ref, why }) => (
        <li key={ref}>
          Not judged: <code>{ref}</code>, {unread[why]}.
        </li>
      ))}
    </ul>
  );
}

function Silence({ bench }: { bench: Workbench }) {
  const rules = bench.trace?.rules ?? [];
  const open = rules.filter(({ outcome }) => outcome === 'not-known').length;
  const quiet = rules.filter(({ outcome }) => outcome === 'does-not-hold').length;
  const parts = [
    quiet > 0 ? `${quiet} ${quiet === 1 ? 'rule does' : 'rules do'} not hold` : '',
    open > 0 ? `${open} that only advise could not be decided` : '',
  ].filter(Boolean);
  return (
    <div class="silence">
      <h3>No card</h3>
      <p>
        The answer is <code>{'{"cards": []}'}</code>: the data that a warning needs were there, and there is nothing to
        say. A record system shows nothing. If those data had been missing, the answer would be 412, never silence.
      </p>
      {parts.length > 0 ? <p class="quiet">At this hook {parts.join(', and ')}. “Why” says more about each.</p> : null}
    </div>
  );
}

/** An error, in the words of its OperationOutcome. */
function Refused({ bench, request }: { bench: Workbench; request: Json }) {
  const { answer } = bench;
  if (!answer) return null;
  const [title = `The service answered ${answer.status}`, ...details] = problemsOf(answer.body);
  if (answer.status !== 412) return <Fault title={`${answer.status}: ${title}`} lines={details} bench={bench} />;
  const keys = details.map((text) => text.split(' ').at(-1) as string);
  const prefetch = Object.fromEntries(keys.map((key) => [key, null]));
  return (
    <div class="silence not-checked">
      <h3>Not checked: data are missing</h3>
      <p>{title} A record system shows “not checked”, never an empty panel.</p>
      <ul>
        {keys.map((key) => (
          <li key={key}>
            <code>prefetch.{key}</code> is missing or incomplete
          </li>
        ))}
      </ul>
      <p>
        <button
          type="button"
          onClick={() => void bench.ask({ ...request, prefetch: { ...objectOf(request['prefetch']), ...prefetch } })}
        >
          What if the search had found nothing?
        </button>
      </p>
      <p class="quiet">
        Sends <code>null</code> for {keys.length === 1 ? 'that key' : 'those keys'}: searched, and empty. Your system
        must send it only where that is so.
      </p>
    </div>
  );
}

function Fault({ title, lines, bench }: { title: string; lines: string[]; bench: Workbench }) {
  return (
    <div class="fault-box" role="alert">
      <h3>{title}</h3>
      {lines.length > 1 ? (
        <ul>
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      ) : (
        <p>{lines[0]}</p>
      )}
      <p>
        <button type="button" onClick={bench.edit}>
          Edit the request
        </button>
      </p>
    </div>
  );
}

/** An accepted or overridden card: the changes to the orders, and the reply to the feedback. */
function ReactionView({ reaction, given }: { reaction: Reaction; given: boolean | undefined }) {
  const { kind, title, changes, feedback } = reaction;
  return (
    <div class="deed" role="status">
      <p>
        <strong>{kind === 'accepted' ? `Accepted: ${title}` : `Overridden: ${title}`}</strong>
      </p>
      <p class="quiet">{feedback}</p>
      {kind === 'accepted' && given === true ? (
        <p class="quiet">
          The card is still given for the changed request: the rest of what it is based on has not changed.
        </p>
      ) : null}
      {changes.length > 0 ? (
        <details>
          <summary>What changed in the draft orders</summary>
          {changes.map((change) => (
            <Comparison key={change.ref} change={change} />
          ))}
        </details>
      ) : null}
    </div>
  );
}

/** Where to start. */
function Welcome({ bench }: { bench: Workbench }) {
  const { patients = [], trouble } = bench;
  const examples = bench.examples.flatMap(({ title, patient: name }) => {
    const patient = patients.find((one) => one.name === name);
    return patient ? [{ title, patient }] : [];
  });
  return (
    <div class="welcome">
      <h2>Ask the service as a record system would</h2>
      <p>
        A record system sends a patient’s medicines when a chart is opened or an order is written. This page shows which
        cards come back, and why.
      </p>
      {trouble ? (
        <p class="fault" role="alert">
          {trouble}
        </p>
      ) : null}
      {examples.length > 0 ? (
        <>
          <h3 class="small-title">Start with one of these</h3>
          <ul class="examples">
            {examples.map(({ title, patient }) => (
              <li key={patient.name}>
                <button type="button" onClick={() => bench.choosePatient(patient)}>
                  <strong>{title}</strong>
                  <span>{patient.note}</span>
                </button>
              </li>
            ))}
          </ul>
        </>
      ) : null}
      <p class="quiet">
        Or paste your own request, let the page build one from a FHIR server, or drop a file anywhere on this page.
      </p>
    </div>
  );
}
