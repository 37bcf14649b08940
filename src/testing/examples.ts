import { readFileSync } from 'node:fs';
import type { Section } from '../fhir/prefetch.ts';

/** JSON in tests. */
export type Json = Record<string, unknown>;

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../test-bundles/${name}.json`, import.meta.url), 'utf8'));
}

/** A name in test-bundles/medicines.json. */
export type Drug = string;

/** Medicines of invented patients, each with its ATC code and a Nordic name. */
export const medicines = read<Record<Drug, [code: string, display: string]>>('medicines');

/** Substances and brands unrelated to our classes: none may be taken for one of them. */
export const unrelatedMedicines = read<string[]>('unrelated-medicines');

/** More such names that are in no list of hooks/codes: they are unrecognised. */
export const moreUnrelatedMedicines = read<string[]>('more-unrelated-medicines');

type Examples = {
  agonist: Drug;
  opioid: Drug;
  gabapentinoid: Drug;
  benzodiazepine: Drug;
  /** Medicines that are in no list. */
  unrelated: Drug[];
  /** A medicine in the narrative of a resource, and a code where none is read. */
  narrative: string;
  code: string;
  /** Findings that are in no list of ours, by section. */
  findingsOfNoList: Partial<Record<Section, Json>>;
};

/** The subjects of the tests' requests. */
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

/** Building blocks for the records of generated patients. */
export const vocabulary = read<Vocabulary>('vocabulary');
