import { hash } from 'node:crypto';
import type { Chart } from '../chart/chart.ts';
import type { Resource } from '../fhir/json.ts';
import type { Language } from '../language.ts';
import type { Knowledge } from '../rules/knowledge.ts';

/** What every card of an answer is made from, beside the results of the rules. */
export type Rendering = {
  knowledge: Knowledge;
  chart: Chart;
  language: Language;
  hookInstance: string;
  /** Drafts that an earlier card of the answer offers to remove. */
  removed: Set<string>;
  /** An order of the call with the digits of its numbers as they were sent, where they can be had. */
  exact: (ref: string) => Resource | undefined;
  /** Where the pages about the advice are (`https://…/advice`); undefined: cards have no link. */
  advice: string | undefined;
};

/** Part of a card's id: a client that uses one `hookInstance` for two patients gets cards of two ids. */
export function patientOf({ chart }: Rendering): string {
  return chart.subject.patient;
}

/** A name-based UUID (RFC 9562, version 5 layout): the same call gives the same ids, another call others. */
export function uuidOf(...parts: string[]): string {
  const name = hash('sha1', parts.join('\0'), 'buffer');
  name[6] = ((name[6] as number) & 0x0f) | 0x50;
  name[8] = ((name[8] as number) & 0x3f) | 0x80;
  const hex = name.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
