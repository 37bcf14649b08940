import { useEffect, useRef, useState } from 'preact/hooks';
import { Ask } from './ask.tsx';
import { Cards } from './cards.tsx';
import { Differences } from './differences.tsx';
import { Header } from './header.tsx';
import { RequestView, ResponseView } from './json-view.tsx';
import { type Pane, type Tab, useWorkbench, type Workbench } from './state.ts';
import { Tabs } from './tabs.tsx';
import { useTuning } from './tuning.ts';
import { Why } from './why.tsx';

const panes: [Pane, string][] = [
  ['ask', 'Ask'],
  ['cards', 'Cards'],
  ['why', 'Why'],
];

/** The page: request, answer and reasons; on a small screen one of them at a time. */
export function App() {
  const bench = useWorkbench();
  const tuning = useTuning(bench.askTab === 'settings');
  const { pane, setPane } = bench;
  const count = bench.cards?.length;
  const dragging = useDrop(bench.drop);
  const cards = useRef<HTMLElement>(null);
  const skip = () => {
    setPane('cards');
    // With one pane at a time, the pane exists only after the next render.
    setTimeout(() => cards.current?.focus());
  };
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        Skip to the cards
      </button>
      <Header />
      <nav class="panes" aria-label="Parts of the page">
        {panes.map(([name, text]) => (
          <button
            key={name}
            type="button"
            aria-current={pane === name ? 'true' : undefined}
            onClick={() => setPane(name)}
          >
            {text}
            {name === 'cards' && count !== undefined ? <span class="count">{count}</span> : null}
          </button>
        ))}
      </nav>
      {dragging ? <div class="dropping">Drop the file: a CDS Hooks request, or a FHIR Bundle</div> : null}
      <main data-pane={pane}>
        <section class="column column-ask" aria-label="Request">
          <Ask bench={bench} tuning={tuning} />
        </section>
        <section
          class="column column-cards"
          ref={cards}
          tabIndex={-1}
          aria-label={bench.askTab === 'settings' ? 'What changes' : 'Cards'}
        >
          {bench.askTab === 'settings' ? <Differences tuning={tuning} bench={bench} /> : <Cards bench={bench} />}
        </section>
        <Right bench={bench} />
      </main>
    </>
  );
}

/** On a wide screen the reasons stay visible beside the request. */
function Right({ bench }: { bench: Workbench }) {
  const wide = useWide('(min-width: 1920px)');
  const tabs: [Tab, string, () => preact.JSX.Element][] = [
    ['why', 'Why', () => <Why bench={bench} />],
    ['request', 'Request', () => <RequestView bench={bench} />],
    ['response', 'Response', () => <ResponseView bench={bench} />],
  ];
  if (!wide)
    return (
      <section class="column column-why" aria-label="Why, and what was sent">
        <Tabs name="Why, request, response" tabs={tabs} chosen={bench.tab} choose={bench.setTab} />
      </section>
    );
  const chosen = bench.tab === 'why' ? 'request' : bench.tab;
  return (
    <>
      <section class="column column-why" aria-label="Why">
        <h2 class="panel-title">Why</h2>
        <div class="tab-panel">
          <Why bench={bench} />
        </div>
      </section>
      <section class="column column-data" aria-label="What was sent">
        <Tabs name="Request, response" tabs={tabs.slice(1)} chosen={chosen} choose={bench.setTab} />
      </section>
    </>
  );
}

function useWide(query: string): boolean {
  const [wide, setWide] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const look = () => setWide(list.matches);
    list.addEventListener('change', look);
    return () => list.removeEventListener('change', look);
  }, [query]);
  return wide;
}

/** Accepts files dropped anywhere; otherwise the browser would leave the page to show them. */
function useDrop(take: (file: File) => void): boolean {
  const [dragging, setDragging] = useState(false);
  useEffect(() => {
    const over = (event: DragEvent) => {
      event.preventDefault();
      setDragging(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setDragging(false);
    };
    const drop = (event: DragEvent) => {
      event.preventDefault();
      setDragging(false);
      const file = event.dataTransfer?.files[0];
      if (file) take(file);
    };
    addEventListener('dragover', over);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
    };
  }, []);
  return dragging;
}
