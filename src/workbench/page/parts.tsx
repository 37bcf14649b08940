import type { ComponentChildren, JSX } from 'preact';
import type { Workbench } from './state.ts';

/** A pane that has nothing to show yet. */
export function Empty({ title, children }: { title?: string; children: ComponentChildren }) {
  return (
    <div class="empty">
      {title === undefined ? null : <h2>{title}</h2>}
      <p>{children}</p>
    </div>
  );
}

/** A resource by its reference; a click shows it in the request. */
export function Ref({ to, bench }: { to: string; bench: Workbench }) {
  return (
    <button type="button" class="link ref" onClick={() => bench.show([to])}>
      {to}
    </button>
  );
}

type FieldProps = {
  label: string;
  value: string;
  change: (text: string) => void;
  more?: JSX.IntrinsicElements['input'];
};

/** A labelled line of text; `more` are further attributes of its input. */
export function TextField({ label, value, change, more }: FieldProps) {
  return (
    <label class="field">
      <span class="label-text">{label}</span>
      <input
        type="text"
        autocomplete="off"
        value={value}
        onInput={({ currentTarget }) => change(currentTarget.value)}
        {...more}
      />
    </label>
  );
}

type TableProps = {
  name: string;
  caption?: string;
  headings: string[];
  /** Headings of columns with numbers, after the others. */
  numbers?: string[];
  children: ComponentChildren;
};

/** A table that scrolls by itself where it is wider than its column. */
export function ScrollTable({ name, caption, headings, numbers = [], children }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section class="scroll" tabIndex={0} aria-label={name}>
      <table>
        {caption === undefined ? null : <caption>{caption}</caption>}
        <thead>
          <tr>
            {[...headings, ...numbers].map((heading, at) => (
              <th key={heading} scope="col" class={at < headings.length ? undefined : 'number'}>
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
