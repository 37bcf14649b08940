import { useEffect, useRef, useState } from 'preact/hooks';
import { IndicatorIcon } from './icons.tsx';
import { Empty } from './parts.tsx';
import type { Workbench } from './state.ts';
import type { Patient } from './wire.ts';

/** `folder/list-absent` as a name in a list: `List absent`. */
export function titleOf({ name }: Patient): string {
  const slug = name.split('/').slice(1).join(' / ').replaceAll('-', ' ');
  return slug.charAt(0).toUpperCase() + slug.slice(1);
}

const MOST = 60;

export function PatientsTab({ bench }: { bench: Workbench }) {
  const [search, setSearch] = useState('');
  const { patients } = bench;
  if (!patients) return <p class="quiet">Loading the patients …</p>;
  if (patients.length === 0)
    return (
      <Empty title="No patients here">
        There is no folder <code>test-bundles/</code>, as in the container image. Paste a request, or ask a FHIR server.
      </Empty>
    );
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found =
    words.length > 0 ? patients.filter((patient) => words.every((word) => textOf(patient).includes(word))) : [];
  const groups = Map.groupBy(patients, ({ folder }) => folder);
  return (
    <>
      <label class="field search">
        <span class="label-text">Search {patients.length} invented patients</span>
        <input
          type="search"
          value={search}
          placeholder="name, rule, medicine …"
          onInput={({ currentTarget }) => setSearch(currentTarget.value)}
        />
      </label>
      {words.length > 0 ? (
        <>
          <p class="quiet" role="status">
            {found.length === 0 ? 'No patient has all these words.' : `${found.length} found`}
            {found.length > MOST ? `, the first ${MOST} shown` : ''}
          </p>
          <List patients={found.slice(0, MOST)} bench={bench} />
        </>
      ) : (
        [...groups].map(([folder, group]) => <Group key={folder} patients={group} bench={bench} />)
      )}
    </>
  );
}

function Group({ patients, bench }: { patients: Patient[]; bench: Workbench }) {
  const { origin } = bench;
  const own = origin?.kind === 'patient' && origin.patient.folder === patients[0]?.folder;
  const [open, setOpen] = useState(own);
  // Shows a patient who was chosen elsewhere in the list.
  useEffect(() => {
    if (own) setOpen(true);
  }, [own]);
  return (
    <details class="group" open={open} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <span>{patients[0]?.about}</span>
        <span class="count">{patients.length}</span>
      </summary>
      {open ? <List patients={patients} bench={bench} /> : null}
    </details>
  );
}

function List({ patients, bench }: { patients: Patient[]; bench: Workbench }) {
  const chosen = bench.origin?.kind === 'patient' ? bench.origin.patient.name : undefined;
  const list = useRef<HTMLUListElement>(null);
  // That patient may be far down. Do not scroll unless the list is in view.
  useEffect(() => {
    if (chosen !== undefined && matchMedia('(min-width: 1101px)').matches)
      list.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'center' });
  }, [chosen]);
  return (
    <ul class="patients" ref={list}>
      {patients.map((patient) => (
        <li key={patient.name}>
          <button
            type="button"
            aria-current={patient.name === chosen ? 'true' : undefined}
            onClick={() => bench.choosePatient(patient)}
          >
            <span class="patient-name">{titleOf(patient)}</span>
            <span class="patient-note">{patient.note}</span>
            <span class="patient-meta">
              <Expectation patient={patient} />
              <span>{patient.hook}</span>
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** What the file beside the request expects, as a word and a sign. */
function Expectation({ patient: { cards, missing } }: { patient: Patient }) {
  if (missing) return <span>412, data missing</span>;
  const loudest = (['critical', 'warning', 'info'] as const).find((indicator) =>
    cards?.some((card) => card.indicator === indicator),
  );
  if (!loudest || !cards) return <span>silence</span>;
  return (
    <span class={`expected ${loudest}`}>
      <IndicatorIcon indicator={loudest} />
      {loudest}
      {cards.length > 1 ? `, ${cards.length} cards` : ''}
    </span>
  );
}

function textOf({ name, note, hook, about, cards = [], missing = [] }: Patient): string {
  const expected = cards.length > 0 ? cards.flatMap(({ rule, indicator }) => [rule, indicator]) : ['silence'];
  return [name.replaceAll('-', ' '), name, note, hook, about, ...expected, ...missing].join(' ').toLowerCase();
}
