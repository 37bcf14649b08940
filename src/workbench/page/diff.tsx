import { compare } from './changed.ts';
import type { Change } from './request.ts';

const words = { create: 'New', update: 'Changed', delete: 'Removed' };
const signs = { same: ' ', added: '+', removed: '−', gap: ' ' };
const spoken = { same: '', added: 'added: ', removed: 'removed: ', gap: '' };

/** An order before and after, as lines with signs; the colours only repeat the signs. */
export function Comparison({ change }: { change: Change }) {
  const lines = compare(change.before, change.after);
  return (
    <figure class="diff">
      <figcaption>
        {words[change.type]} <code>{change.ref}</code>
        {change.before === undefined && change.type !== 'create' ? ': it is not among the drafts' : ''}
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre tabIndex={0}>
        {lines.map(({ kind, text }, at) => (
          <span key={at} class={`line ${kind}`}>
            <span aria-hidden="true">{signs[kind]} </span>
            {spoken[kind] ? <span class="visually-hidden">{spoken[kind]}</span> : null}
            {kind === 'gap' ? `… ${text}` : text}
            {'\n'}
          </span>
        ))}
      </pre>
    </figure>
  );
}
