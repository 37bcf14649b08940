import { type Codes, contains } from '../codes/load.ts';

/** One way to write a medicine of the code lists: a name with its ATC code, or one of the site's own codes. */
export type Medicine = { name: string; system: string; code: string; lists: string[] };

const MOST = 20;

/** Medicines whose name, brand or code starts with the search text, then those with a later word that does. */
export function searchMedicines(codes: Codes, search: string): Medicine[] {
  const wanted = search.toLowerCase();
  if (wanted === '') return [];
  const found = [...named(codes), ...coded(codes)]
    .map((medicine) => ({ medicine, rank: rankOf(medicine, wanted) }))
    .filter(({ rank }) => rank > 0)
    .sort(
      (a, b) =>
        b.rank - a.rank ||
        a.medicine.name.length - b.medicine.name.length ||
        a.medicine.name.localeCompare(b.medicine.name),
    );
  // A substance has many spellings; the best match stands for it.
  const best = new Map<string, Found>();
  for (const { medicine } of found) if (!best.has(medicine.what)) best.set(medicine.what, medicine);
  return [...best.values()]
    .slice(0, MOST)
    .map(({ name, system, code, atc }) => ({ name, system, code, lists: listsOf(codes, atc) }));
}

/** `what` is the same for all spellings of one substance under one code. */
type Found = Omit<Medicine, 'lists'> & { atc: string; what: string; brand: boolean };

function rankOf({ name, code, brand }: Found, wanted: string): number {
  // Of equally good matches, a substance comes before its brands.
  const own = brand ? 0 : 0.5;
  if (name === wanted || code.toLowerCase() === wanted) return 3 + own;
  if (name.startsWith(wanted) || code.toLowerCase().startsWith(wanted)) return 2 + own;
  return name.includes(` ${wanted}`) ? 1 + own : 0;
}

function* named(codes: Codes): Generator<Found> {
  const system = uriOf(codes, 'atc');
  for (const phrases of codes.phrases.values()) {
    for (const { words, key, atc, brand } of phrases) {
      // A brand is one product; a substance may have several uses, each with its own code.
      const all = brand ? [atc] : (codes.substances.get(key)?.atc ?? [atc]);
      const name = words.join(' ');
      for (const code of all) yield { name, system, code, atc: code, what: `${brand ? name : key}|${code}`, brand };
    }
  }
}

function* coded(codes: Codes): Generator<Found> {
  for (const [key, { atc }] of codes.drugs) {
    const [system = '', code = ''] = key.split('|');
    const name = codes.substanceOfAtc.get(atc)?.names.en ?? code;
    yield { name, system: uriOf(codes, system), code, atc, what: key, brand: false };
  }
}

/** The canonical URI of one of our system names: the first in its file. */
function uriOf(codes: Codes, system: string): string {
  return [...codes.systems].find(([, key]) => key === system)?.[0] ?? system;
}

function listsOf(codes: Codes, atc: string): string[] {
  return [...codes.lists].filter(([, list]) => contains(list, atc)).map(([name]) => name);
}
