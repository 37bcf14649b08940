import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';

type Props<T extends string> = {
  name: string;
  tabs: [T, string, () => JSX.Element][];
  chosen: T;
  choose: (tab: T) => void;
};

/** Tabs following the ARIA pattern: one stop for the Tab key, arrow keys between them. */
export function Tabs<T extends string>({ name, tabs, chosen, choose }: Props<T>) {
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const at = tabs.findIndex(([key]) => key === chosen);
    const next = event.key === 'Home' ? 0 : event.key === 'End' ? tabs.length - 1 : step && at + step;
    const tab = next === undefined ? undefined : tabs[(next + tabs.length) % tabs.length];
    if (!tab) return;
    event.preventDefault();
    choose(tab[0]);
    list.current?.querySelector<HTMLElement>(`#tab-${tab[0]}`)?.focus();
  };
  return (
    <>
      <div class="tabs" role="tablist" aria-label={name} ref={list} onKeyDown={move}>
        {tabs.map(([key, text]) => (
          <button
            key={key}
            id={`tab-${key}`}
            type="button"
            role="tab"
            aria-selected={key === chosen}
            aria-controls={key === chosen ? `panel-${key}` : undefined}
            tabIndex={key === chosen ? 0 : -1}
            onClick={() => choose(key)}
          >
            {text}
          </button>
        ))}
      </div>
      {tabs
        .filter(([key]) => key === chosen)
        .map(([key, , panel]) => (
          <div key={key} class="tab-panel" id={`panel-${key}`} role="tabpanel" aria-labelledby={`tab-${key}`}>
            {panel()}
          </div>
        ))}
    </>
  );
}
