import { type Codes, contains } from '../codes/load.ts';

/** A way to write a medicine that the code lists know: by a name with its ATC code, or by a code of the site's own. */
export type Medicine = { name: string; system: string; code: string; lists: string[] };

const MOST = 20;

/** Medicines whose name, brand or code begins so, or has a word that does; those that begin so first. */
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
  // A substance is spelt in many ways; the best of them stands for it.
  const best = new Map<string, Found>();
  for (const { medicine } of found) if (!best.has(medicine.what)) best.set(medicine.what, medicine);
  return [...best.values()]
    .slice(0, MOST)
    .map(({ name, system, code, atc }) => ({ name, system, code, lists: listsOf(codes, atc) }));
}

/** `what` is the same for the spellings of one substance under one code. */
type Found = Omit<Medicine, 'lists'> & { atc: string; what: string; brand: boolean };

function rankOf({ name, code, brand }: Found, wanted: string): number {
  // Of names that fit equally well, a substance stands before its brands.
  const own = brand ? 0 : 0.5;
  if (name === wanted || code.toLowerCase() === wanted) return 3 + own;
  if (name.startsWith(wanted) || code.toLowerCase().startsWith(wanted)) return 2 + own;
  return name.includes(` ${wanted}`) ? 1 + own : 0;
}

function* named(codes: Codes): Generator<Found> {
  const system = uriOf(codes, 'atc');
  for (const phrases of codes.phrases.values()) {
    for (const { words, key, atc, brand } of phrases) {
      // A brand is one product; a substance may be used for several things, each with its code.
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

/** The canonical URI of one of our system keys: the first that its file lists. */
function uriOf(codes: Codes, system: string): string {
  return [...codes.systems].find(([, key]) => key === system)?.[0] ?? system;
}

function listsOf(codes: Codes, atc: string): string[] {
  return [...codes.lists].filter(([, list]) => contains(list, atc)).map(([name]) => name);
}
