import { partOf, type Section } from './prefetch.ts';

export type Context = { patientId: string; encounterId: string | undefined };

/**
 * Which results to ask for: those since a date (`YYYY-MM-DD`), and those of some codes whatever their age (rules/reach.ts).
 */
export type ResultWindow = { since: string; codes: readonly string[] };

/**
 * The request for a key: a read, or a search in several forms. The first form uses all parameters; each of the others
 * leaves out something that some servers refuse with 400. The last is the plainest that still finds everything.
 */
export type Query = { path: string; searches: readonly string[] };

const PAGE_SIZE = '_count=500';

/**
 * The queries that together cover a key: its template filled in with the call's values, and parameters that make the
 * search smaller. None if a token has no value.
 */
export function queriesOf(section: Section, context: Context, window: ResultWindow | undefined): Query[] {
  const id = section === 'encounter' ? context.encounterId : context.patientId;
  // An id of dots would change the path of the address.
  if (id === undefined || /^\.+$/.test(id)) return [];
  const [path = '', search] = partOf[section].query
    .replace('{{context.patientId}}', () => encodeURIComponent(context.patientId))
    .replace('{{context.encounterId}}', () => encodeURIComponent(context.encounterId ?? ''))
    .split('?');
  if (search === undefined) return [{ path, searches: [] }];
  if (section !== 'observations' || !window) return [{ path, searches: wordings(search) }];
  const whole = wordings(search);
  const since = wordings(`${search}&date=ge${window.since}`);
  if (window.codes.length === 0) return [{ path, searches: [...since, ...whole] }];
  const ofAnyAge = wordings(`${search}&code=${window.codes.map(encodeURIComponent).join(',')}`);
  return [
    { path, searches: [...since, ...whole] },
    { path, searches: [...ofAnyAge, ...whole] },
  ];
}

/** With page size and included medicines; without either of them; without both. */
function wordings(search: string): string[] {
  const bare = search.replace(/&_include=[^&]*/, '');
  return [...new Set([`${search}&${PAGE_SIZE}`, search, `${bare}&${PAGE_SIZE}`, bare])];
}
