import { useEffect, useRef } from 'preact/hooks';
import { OutcomeIcon } from './icons.tsx';
import { Empty, Ref } from './parts.tsx';
import type { Workbench } from './state.ts';
import { TimelineView } from './timeline-view.tsx';
import type { FactTrace, RuleTrace, Trace } from './wire.ts';

/** The outcome of each rule and fact, the highest indicator first, and the medicines on a timeline. */
export function Why({ bench }: { bench: Workbench }) {
  const { trace, answer } = bench;
  if (!answer) return <Empty>This shows why a card is given, or not, once a request has been sent.</Empty>;
  if (!trace) return <Empty>The service gave no reasons: it refused the request before evaluating any rule.</Empty>;
  const of = (...outcomes: RuleTrace['outcome'][]) => trace.rules.filter(({ outcome }) => outcomes.includes(outcome));
  return (
    <>
      <TimelineView bench={bench} trace={trace} />
      <Group title="Spoke" rules={of('fires', 'joins')} bench={bench} open />
      <Group title="Held, but stayed silent" rules={of('superseded', 'rides-only', 'quiet', 'repeat')} bench={bench} />
      <Group title="On trial: would have been shown" rules={of('silent')} bench={bench} />
      <Group title="Could not be decided" rules={of('not-known')} bench={bench} />
      <Group title="Did not hold" rules={of('does-not-hold')} bench={bench} folded />
      <Group title="Switched off" rules={of('switched-off')} bench={bench} folded />
      <Record trace={trace} bench={bench} />
    </>
  );
}

type GroupProps = { title: string; rules: RuleTrace[]; bench: Workbench; open?: boolean; folded?: boolean };

function Group({ title, rules, bench, open = false, folded = false }: GroupProps) {
  if (rules.length === 0) return null;
  const heading = (
    <h3 class="small-title">
      {title} <span class="count">{rules.length}</span>
    </h3>
  );
  const list = rules.map((rule) => <Rule key={rule.rule} rule={rule} bench={bench} open={open} />);
  if (!folded)
    return (
      <section class="rules">
        {heading}
        {list}
      </section>
    );
  return (
    <details class="fold">
      <summary>{heading}</summary>
      <div class="rules">{list}</div>
    </details>
  );
}

function Rule({ rule, bench, open }: { rule: RuleTrace; bench: Workbench; open: boolean }) {
  const element = useRef<HTMLDetailsElement>(null);
  const words = bench.rules[rule.rule];
  const { explained } = bench;
  useEffect(() => {
    if (explained.rule !== rule.rule || !element.current) return;
    element.current.open = true;
    element.current.scrollIntoView({ block: 'start' });
    element.current.querySelector('summary')?.focus({ preventScroll: true });
  }, [explained, rule.rule]);
  return (
    <details class="rule" open={open} ref={element}>
      <summary>
        <span class="rule-name">
          <b>{rule.recommendation}</b> {rule.rule}
        </span>
        <span class="rule-outcome">{outcomeOf(rule)}</span>
      </summary>
      {words ? (
        <p class="says">
          {words.says}
          <small>
            {words.source}, {words.section}
          </small>
        </p>
      ) : null}
      <table class="facts">
        <thead class="visually-hidden">
          <tr>
            <th scope="col">Role</th>
            <th scope="col">Fact</th>
            <th scope="col">Result</th>
          </tr>
        </thead>
        <tbody>
          {rule.facts.map((fact) => (
            <Fact key={fact.fact} fact={fact} expression={words?.facts[fact.fact]} bench={bench} />
          ))}
        </tbody>
      </table>
    </details>
  );
}

/** The outcome of a rule and its reason. */
function outcomeOf({ outcome, by, off, missing, silent }: RuleTrace): string {
  const words = {
    fires: 'gives its card',
    joins: `joins the card of ${by}`,
    superseded: `${by} already says it`,
    'rides-only': 'has no card to ride on',
    quiet: 'accepted recently: quiet period',
    repeat: 'shown before, at order-select',
    'not-known': missing ? `${missing.join(', ')} missing` : 'the record is unclear',
    'does-not-hold': 'does not hold',
    'switched-off': `off by ${off}`,
    silent: by ? `would join the card of ${by}` : 'would give its card',
  };
  return silent && outcome !== 'silent' ? `${words[outcome]} (on trial)` : words[outcome];
}

const outcomes = { holds: 'found', 'does-not-hold': 'not found', 'not-known': 'not known' };
const roles = { when: 'when', unless: 'unless', without: 'without', otherwise: 'card' };

function Fact({ fact, expression, bench }: { fact: FactTrace; expression: string | undefined; bench: Workbench }) {
  const { resources = [], missing = [], courses = [] } = fact;
  return (
    <tr class={`fact ${fact.outcome}`}>
      <td class="role">{roles[fact.role]}</td>
      <th scope="row">
        {expression ? (
          <details>
            <summary>{spaced(fact.fact)}</summary>
            <code class="expression">{expression.trim()}</code>
          </details>
        ) : (
          spaced(fact.fact)
        )}
      </th>
      <td>
        <span class="outcome">
          <OutcomeIcon outcome={fact.outcome} />
          {outcomes[fact.outcome]}
        </span>
        {missing.map((part) => (
          <span key={part} class="missing">
            {part} missing
          </span>
        ))}
        {courses.map(({ start, end }) => (
          <span key={start} class="missing">
            {start} to {end}
          </span>
        ))}
        {resources.map((ref) => (
          <Ref key={ref} to={ref} bench={bench} />
        ))}
      </td>
    </tr>
  );
}

/** `sedativeOrdered` as words. */
function spaced(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** The parts of the record that were received, and what was left out of it. */
function Record({ trace, bench }: { trace: Trace; bench: Workbench }) {
  const { leftOut = [], unread = [] } = trace;
  return (
    <section class="rules">
      <h3 class="small-title">What was read</h3>
      <ul class="plain sections">
        {Object.entries(trace.sections).map(([section, state]) => (
          <li key={section} class={state}>
            <code>{section}</code> {state}
          </li>
        ))}
      </ul>
      <Fold title="Unrecognised medicines" items={unread.map(({ ref, name = '' }) => [ref, name])} bench={bench} />
      <Fold
        title="Left out"
        items={leftOut.map(({ what, why, ref }) => [ref, `${what}, ${why.replaceAll('-', ' ')}`])}
        bench={bench}
      />
    </section>
  );
}

/** Resources and a few words on each; nothing if there are none. */
function Fold({ title, items, bench }: { title: string; items: [ref: string, words: string][]; bench: Workbench }) {
  if (items.length === 0) return null;
  return (
    <details class="rule">
      <summary>
        <span class="rule-name">{title}</span>
        <span class="rule-outcome">{items.length}</span>
      </summary>
      <ul class="plain left-out">
        {items.map(([ref, words]) => (
          <li key={`${ref}|${words}`}>
            <Ref to={ref} bench={bench} /> {words}
          </li>
        ))}
      </ul>
    </details>
  );
}
