import { readFileSync } from 'node:fs';
import type { Section } from '../fhir/prefetch.ts';

/** JSON as a test writes it. */
export type Json = Record<string, unknown>;

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../test-bundles/${name}.json`, import.meta.url), 'utf8'));
}

/** A name in test-bundles/medicines.json. */
export type Drug = string;

/** Medicines of invented patients: ATC code and a Nordic name of each. */
export const medicines = read<Record<Drug, [code: string, display: string]>>('medicines');

/** Substances and brands that have nothing to do with our classes: none may be taken for one of them. */
export const unrelatedMedicines = read<string[]>('unrelated-medicines');

/** The same, of names that stand in no list of hooks/codes: they are unrecognised. */
export const moreUnrelatedMedicines = read<string[]>('more-unrelated-medicines');

type Examples = {
  agonist: Drug;
  opioid: Drug;
  gabapentinoid: Drug;
  benzodiazepine: Drug;
  /** Medicines that stand in no list. */
  unrelated: Drug[];
  /** What a server may write of medicines into a narrative, and a code where none is read. */
  narrative: string;
  code: string;
  /** Findings that no list of ours has, in the sections where they belong. */
  findingsOfNoList: Partial<Record<Section, Json>>;
};

/** What the requests of the tests are about. */
export const examples = read<Examples>('examples');

type Vocabulary = {
  medicines: [code: string, text: string][];
  /** Medicines that no rule asks about. */
  irrelevant: [code: string, text: string][];
  problems: string[];
  reasons: string[];
  tests: [system: string, code: string][];
  dosageTexts: string[];
  procedures: string[];
};

/** What the records of generated patients are made of. */
export const vocabulary = read<Vocabulary>('vocabulary');
