import { expect, test } from 'vitest';
import type { JsonObject, Resource } from './json.ts';
import { versionOf } from './versions.ts';

const concept = { text: 'x' };
test.each<[type: string, elements: JsonObject, version: ReturnType<typeof versionOf>]>([
  ['MedicationOrder', {}, 'other'],
  ['MedicationRequest', {}, undefined],
  ['MedicationRequest', { medicationCodeableConcept: concept }, 'R4'],
  ['MedicationRequest', { medicationReference: { reference: 'Medication/x' } }, 'R4'],
  ['MedicationRequest', { medication: { concept } }, 'R5'],
  ['MedicationRequest', { medication: { reference: { reference: 'Medication/x' } } }, 'R5'],
  ['MedicationRequest', { medication: concept }, undefined],
  ['MedicationRequest', { medication: { reference: 'Medication/x' } }, undefined],
  ['MedicationRequest', { medicationCodeableConcept: concept, requester: { agent: { reference: 'x' } } }, 'other'],
  ['MedicationRequest', { medicationCodeableConcept: concept, requester: { reference: 'x' } }, 'R4'],
  ['MedicationStatement', { medicationCodeableConcept: concept }, undefined],
  ['MedicationStatement', { medication: { concept } }, 'R5'],
  ['MedicationStatement', { taken: 'y' }, 'other'],
  ['Condition', { clinicalStatus: 'active' }, 'other'],
  ['Condition', { clinicalStatus: { coding: [{ code: 'active' }] } }, undefined],
  ['Encounter', { class: { code: 'AMB' } }, undefined],
  ['Encounter', { class: [{ coding: [{ code: 'AMB' }] }] }, 'R5'],
  ['Encounter', { class: [{ code: 'AMB' }] }, undefined],
  ['Encounter', { class: { coding: [{ code: 'AMB' }] } }, undefined],
  ['Patient', { taken: 'y' }, undefined],
])('V1: %s with %j has version %s', (resourceType, elements, version) => {
  expect(versionOf({ resourceType, ...elements } as Resource)).toBe(version);
});
