import { ScrollTable } from './parts.tsx';
import type { Workbench } from './state.ts';
import type { Tuning } from './tuning.ts';
import type { RuleDifference } from './wire.ts';

/** What other settings would change for the invented patients, by rule, and a site.yaml with these settings. */
export function Differences({ tuning, bench }: { tuning: Tuning; bench: Workbench }) {
  const { changed, tried, busy, trouble } = tuning;
  const found = tried && 'differences' in tried ? tried : undefined;
  return (
    <div class="stack differences" aria-busy={busy}>
      <h2>What changes</h2>
      <p role="status" class={busy ? 'quiet' : undefined}>
        {statusOf(tuning)}
      </p>
      <div role="alert">
        {trouble && changed ? <p class="fault">{trouble}</p> : null}
        {tried && 'problems' in tried
          ? tried.problems.map((problem) => (
              <p key={problem} class="fault">
                {problem}
              </p>
            ))
          : null}
      </div>
      {found && !busy ? (
        <>
          {found.differences.length > 0 ? <Table differences={found.differences} /> : null}
          <div class="actions">
            <button type="button" class="primary" onClick={() => save(found.site)}>
              Save site.yaml
            </button>
          </div>
          {found.differences.map((difference) => (
            <Patients key={difference.rule} difference={difference} bench={bench} />
          ))}
        </>
      ) : null}
    </div>
  );
}

/** Downloads a file in the browser. */
function save(site: string): void {
  const url = URL.createObjectURL(new Blob([site], { type: 'application/yaml' }));
  const link = Object.assign(document.createElement('a'), { href: url, download: 'site.yaml' });
  link.click();
  URL.revokeObjectURL(url);
}

function statusOf({ changed, busy, tried, trouble }: Tuning): string {
  if (!changed) return 'These are the settings of the site. Change one on the left to see which cards change.';
  if (busy) return 'Evaluating every invented patient …';
  if (trouble || !tried) return '';
  if ('problems' in tried) return 'These settings are not valid.';
  const { patients, differences } = tried;
  const sum = (of: (difference: RuleDifference) => string[]) =>
    differences.reduce((all, difference) => all + of(difference).length, 0);
  if (differences.length === 0) return `${patients} patients evaluated: every card is the same.`;
  const [appear, vanish, change] = [sum((of) => of.appears), sum((of) => of.vanishes), sum((of) => of.changes)];
  return `${patients} patients evaluated: ${appear} cards appear, ${vanish} vanish, ${change} change.`;
}

function Table({ differences }: { differences: RuleDifference[] }) {
  return (
    <ScrollTable name="Cards by rule" headings={['Rule']} numbers={['Now', 'Then', 'Appear', 'Vanish', 'Change']}>
      {differences.map(({ rule, before, after, appears, vanishes, changes }) => (
        <tr key={rule}>
          <th scope="row">
            <code>{rule}</code>
          </th>
          <td class="number">{before}</td>
          <td class="number">{after}</td>
          <td class="number">{appears.length > 0 ? `+${appears.length}` : '–'}</td>
          <td class="number">{vanishes.length > 0 ? `−${vanishes.length}` : '–'}</td>
          <td class="number">{changes.length || '–'}</td>
        </tr>
      ))}
    </ScrollTable>
  );
}

const kinds = [
  ['appears', 'appears for'],
  ['vanishes', 'vanishes for'],
  ['changes', 'changes for'],
] as const;

/** The patients behind a rule's numbers; a click opens each as the running service answers. */
function Patients({ difference, bench }: { difference: RuleDifference; bench: Workbench }) {
  return (
    <details class="fold">
      <summary>
        Whose <code>{difference.rule}</code>
      </summary>
      {kinds
        .filter(([kind]) => difference[kind].length > 0)
        .map(([kind, words]) => (
          <div key={kind}>
            <h3 class="small-title">It {words}</h3>
            <ul class="plain">
              {difference[kind].map((name) => {
                const patient = bench.patients?.find((one) => one.name === name);
                const open = () => {
                  if (!patient) return;
                  bench.setAskTab('patients');
                  void bench.choosePatient(patient);
                };
                return (
                  <li key={name}>
                    <button type="button" class="link" onClick={open}>
                      {name}
                    </button>
                  </li>
                );
              })}
            </ul>
          </div>
        ))}
    </details>
  );
}
