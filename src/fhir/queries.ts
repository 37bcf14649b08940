import { partOf, type Section } from './prefetch.ts';

export type Context = { patientId: string; encounterId: string | undefined };

/** Which results are asked for: those since a day (`YYYY-MM-DD`), and of some codes those of any age (rules/reach.ts). */
export type ResultWindow = { since: string; codes: readonly string[] };

/**
 * What to ask for a key: a read, or a search in several wordings. The first says all that we know of; each other leaves out
 * something that some servers refuse with 400, and the last is the plainest that still finds everything.
 */
export type Query = { path: string; searches: readonly string[] };

const PAGE_SIZE = '_count=500';

/**
 * The queries of a key, together its whole: its template with the call's values, and what makes searches shorter. None where a
 * token has no value.
 */
export function queriesOf(section: Section, context: Context, window: ResultWindow | undefined): Query[] {
  const id = section === 'encounter' ? context.encounterId : context.patientId;
  // An id of dots would leave its place in the address.
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

/** With a page size and the medicines included; without either; without both. */
function wordings(search: string): string[] {
  const bare = search.replace(/&_include=[^&]*/, '');
  return [...new Set([`${search}&${PAGE_SIZE}`, search, `${bare}&${PAGE_SIZE}`, bare])];
}
