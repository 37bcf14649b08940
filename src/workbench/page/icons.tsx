import type { ComponentChildren } from 'preact';
import type { FactTrace, Indicator } from './wire.ts';

function Icon({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

/** A circle, a triangle and an octagon: they differ in shape, and a word is beside them. */
export function IndicatorIcon({ indicator }: { indicator: Indicator }) {
  const shapes = {
    info: <path d="M10 1.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17Z" />,
    warning: (
      <path d="M10 1.6c.5 0 .9.2 1.1.7l7.6 14c.5.9-.1 2-1.1 2H2.4c-1 0-1.6-1.1-1.1-2l7.6-14c.2-.5.6-.7 1.1-.7Z" />
    ),
    critical: <path d="M6.5 1.5h7l5 5v7l-5 5h-7l-5-5v-7Z" />,
  };
  const marks = {
    info: 'M9 8.6h2v6H9zM9 5.2h2v2.1H9z',
    warning: 'M9 6.8h2v5.2H9zM9 13.6h2v2H9z',
    critical: 'M9 5h2v6H9zM9 12.8h2v2.1H9z',
  };
  return (
    <Icon name={indicator}>
      <g fill="currentColor">{shapes[indicator]}</g>
      <g class="icon-mark">
        <path d={marks[indicator]} />
      </g>
    </Icon>
  );
}

export function OutcomeIcon({ outcome }: { outcome: FactTrace['outcome'] }) {
  const marks = {
    holds: <path d="m4.5 10.5 3.7 3.7 7.3-8" />,
    'does-not-hold': <path d="M5 10h10" />,
    'not-known': <path d="M7 7.4a3 3 0 1 1 4.4 2.7c-.9.5-1.4 1-1.4 2.1M10 15.4v.1" />,
  };
  return (
    <Icon name={outcome}>
      <g fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
        {marks[outcome]}
      </g>
    </Icon>
  );
}
