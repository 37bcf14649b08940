import { hash } from 'node:crypto';
import type { Chart } from '../chart/chart.ts';
import type { Resource } from '../fhir/json.ts';
import type { Language } from '../language.ts';
import type { Knowledge } from './knowledge.ts';

/** What the cards of an answer are made from, besides the results of the rules. */
export type Rendering = {
  knowledge: Knowledge;
  chart: Chart;
  language: Language;
  hookInstance: string;
  /** Drafts that an earlier card of the answer offers to remove. */
  removed: Set<string>;
  /** An order of the call with exact digits, if available. */
  exact: (ref: string) => Resource | undefined;
  /** Base address of the advice pages (`https://…/advice`); undefined: cards have no link. */
  advice: string | undefined;
};

/** Part of a card's id, so that one `hookInstance` for two patients gives different ids. */
export function patientOf({ chart }: Rendering): string {
  return chart.subject.patient;
}

/** A name-based UUID (RFC 9562, version 5 layout): the same call gives the same ids. */
export function uuidOf(...parts: string[]): string {
  const hex = hash('sha1', parts.join('\0'));
  const variant = HEX[(Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const HEX = '0123456789abcdef';
