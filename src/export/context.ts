import { createHash } from 'node:crypto';
import { brand } from '../brand.ts';
import type { Knowledge } from '../cards/knowledge.ts';
import type { Language } from '../language.ts';

/** What is exported, and how: everything that the bytes of an export depend on. */
export type Context = {
  knowledge: Knowledge;
  /** The language of the resources; the others are translations in them. */
  language: Language;
  /** What canonical addresses begin with: an https address without a slash at its end, or a URN. */
  base: string;
  /** The day that the resources bear, if any: the clock is never asked. */
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

/** The id of a resource, in a repository that others write into too. */
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

/** What every definition of ours begins with. */
export function header<K extends Kind>(context: Context, kind: K, key: string) {
  return {
    resourceType: kind,
    id: idOf(key),
    language: context.language,
    url: canonical(context, kind, key),
    name: nameOf(key),
  };
}

/** What every definition of ours says of its making. */
export function imprint({ date }: Context): { date?: string; publisher: string } {
  return { ...(date !== undefined && { date }), publisher: brand.publisher };
}
