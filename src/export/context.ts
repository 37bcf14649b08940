import { createHash } from 'node:crypto';
import { brand } from '../brand.ts';
import type { Knowledge } from '../cards/knowledge.ts';
import type { Language } from '../language.ts';

/** What to export and how: everything that determines the bytes of an export. */
export type Context = {
  knowledge: Knowledge;
  /** The language of the resources; the other languages are translations in them. */
  language: Language;
  /** Prefix of canonical addresses: an https address without a trailing slash, or a URN. */
  base: string;
  /** The date of the resources, if any: the clock is not used. */
  date: string | undefined;
};

export type Kind =
  | 'ActivityDefinition'
  | 'CodeSystem'
  | 'Library'
  | 'PlanDefinition'
  | 'StructureDefinition'
  | 'ValueSet';

/** FHIR: an id has at most 64 characters. */
const ID_LIMIT = 64;

/** The id of a resource, prefixed because others write to the same repository. */
function idOf(key: string): string {
  const id = `nordic-opioid-${key}`;
  if (id.length <= ID_LIMIT) return id;
  return `${id.slice(0, ID_LIMIT - 9)}-${createHash('sha256').update(key).digest('hex').slice(0, 8)}`;
}

/** The canonical address of a resource. */
export function canonical({ base }: Pick<Context, 'base'>, kind: Kind, key: string): string {
  return base.startsWith('urn:') ? `${base}:${kind}:${idOf(key)}` : `${base}/${kind}/${idOf(key)}`;
}

/** FHIR's computer-friendly name of a definition: letters, digits and underscores, a capital first. */
function nameOf(key: string): string {
  const words = key.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  return `NordicOpioid${words.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`).join('')}`;
}

/** The elements that all our definitions begin with. */
export function header<K extends Kind>(context: Context, kind: K, key: string) {
  return {
    resourceType: kind,
    id: idOf(key),
    language: context.language,
    url: canonical(context, kind, key),
    name: nameOf(key),
  };
}

/** Date and publisher of all our definitions. */
export function imprint({ date }: Context): { date?: string; publisher: string } {
  return { ...(date !== undefined && { date }), publisher: brand.publisher };
}
