import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { sizeOf } from './controls.tsx';
import { curlOf } from './curl.ts';
import { Empty } from './parts.tsx';
import { printJson, type Range } from './print.ts';
import type { Workbench } from './state.ts';

/** Maximum number of lines rendered at once. */
const MOST = 3000;

/** The request as sent, with the resources that the user asked to see marked. */
export function RequestView({ bench }: { bench: Workbench }) {
  const { request, marked, answer } = bench;
  const printed = useMemo(() => printJson(request ?? {}), [request]);
  if (!request) return <Empty>The request appears here once there is one.</Empty>;
  const ranges = marked.refs.flatMap((ref) => printed.ranges.get(ref) ?? []);
  const url = answer?.url ?? `${location.origin}/cds-services`;
  return (
    <>
      <div class="actions">
        <Copy text={curlOf(url, bench.language, request)} label="Copy as curl" />
        <Copy text={JSON.stringify(request, null, 2)} label="Copy JSON" />
        <button type="button" onClick={bench.edit}>
          Edit
        </button>
      </div>
      <p class="quiet" role="status">
        {marked.refs.length > 0
          ? ranges.length > 0
            ? `${marked.refs.join(', ')}: line ${ranges.map(([first, last]) => `${first + 1} to ${last + 1}`).join(' and ')}`
            : `${marked.refs.join(', ')} is not in the request: it was fetched, or contained in another resource.`
          : 'A fact’s resource under “Why” is shown here.'}
      </p>
      <Lines lines={printed.lines} ranges={ranges} count={marked.count} name="The request" />
    </>
  );
}

export function ResponseView({ bench }: { bench: Workbench }) {
  const { answer } = bench;
  const lines = useMemo(() => printJson(answer?.body ?? {}).lines, [answer]);
  if (!answer) return <Empty>The response appears here once there is one.</Empty>;
  return (
    <>
      <div class="actions">
        <Copy text={JSON.stringify(answer.body, null, 2)} label="Copy JSON" />
      </div>
      <dl class="headers">
        <div>
          <dt>status</dt>
          <dd>
            {answer.status}, {Math.max(1, Math.round(answer.ms))} ms, {sizeOf(answer.bytes)}
          </dd>
        </div>
        {answer.headers.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Lines lines={lines} ranges={[]} count={0} name="The response" />
    </>
  );
}

function Lines({ lines, ranges, count, name }: { lines: string[]; ranges: Range[]; count: number; name: string }) {
  const box = useRef<HTMLElement>(null);
  const [all, setAll] = useState(false);
  const isMarked = (at: number, around = 0) =>
    ranges.some(([first, last]) => first - around <= at && at <= last + around);
  useEffect(() => {
    const first = box.current?.querySelector<HTMLElement>('.line.marked');
    if (count === 0 || !first) return;
    const { current } = box;
    current?.scrollIntoView({ block: 'nearest' });
    current?.scrollTo({ top: first.offsetTop - current.offsetTop - current.clientHeight / 4 });
    current?.focus({ preventScroll: true });
  }, [count]);
  const shown = [...lines.keys()].filter((at) => all || at < MOST || isMarked(at, 3));
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section class="json" tabIndex={0} aria-label={name} ref={box}>
        <pre>
          {shown.map((at) => (
            <span key={at} class={isMarked(at) ? 'line marked' : 'line'}>
              <span class="number" aria-hidden="true">
                {at + 1}
              </span>
              <Line text={lines[at] as string} />
              {'\n'}
            </span>
          ))}
        </pre>
      </section>
      {shown.length < lines.length ? (
        <p>
          <button type="button" onClick={() => setAll(true)}>
            Show all {lines.length} lines
          </button>
        </p>
      ) : null}
    </>
  );
}

/** A line of JSON with its key in a fainter colour. */
function Line({ text }: { text: string }) {
  const [, indent, key, rest] = /^(\s*)("(?:[^"\\]|\\.)*":)(.*)$/.exec(text) ?? [];
  if (key === undefined) return <>{text}</>;
  return (
    <>
      {indent}
      <span class="key">{key}</span>
      {rest}
    </>
  );
}

/** Copies text to the clipboard; if the browser refuses, shows it for copying by hand. */
function Copy({ text, label }: { text: string; label: string }) {
  const [state, setState] = useState<'' | 'done' | 'refused'>('');
  useEffect(() => {
    if (state !== 'done') return;
    const timer = setTimeout(() => setState(''), 2000);
    return () => clearTimeout(timer);
  }, [state]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setState('done');
    } catch {
      setState('refused');
    }
  };
  return (
    <>
      <button type="button" onClick={copy}>
        {state === 'done' ? 'Copied' : label}
      </button>
      <span class="visually-hidden" role="status">
        {state === 'done' ? 'Copied' : ''}
      </span>
      {state === 'refused' ? (
        <label class="field wide">
          <span class="label-text">The browser does not allow copying. Copy it from here:</span>
          <textarea
            class="mono"
            rows={5}
            readOnly
            value={text}
            onFocus={({ currentTarget }) => currentTarget.select()}
          />
        </label>
      ) : null}
    </>
  );
}
