import { describe, expect, test } from 'vitest';
import { partOf, sections } from './prefetch.ts';
import { queriesOf } from './queries.ts';

const context = { patientId: 'kari', encounterId: 'visit' };
const WINDOW = { since: '2025-03-02', codes: [] };

describe('what is requested', () => {
  test('a read has no search', () => {
    expect(queriesOf('patient', context, WINDOW)).toEqual([{ path: 'Patient/kari', searches: [] }]);
    expect(queriesOf('encounter', context, WINDOW)).toEqual([{ path: 'Encounter/visit', searches: [] }]);
  });

  test('FS6: a search is requested in ever simpler forms', () => {
    const include = 'patient=kari&_include=MedicationRequest:medication';
    expect(queriesOf('medications', context, WINDOW)).toEqual([
      {
        path: 'MedicationRequest',
        searches: [`${include}&_count=500`, include, 'patient=kari&_count=500', 'patient=kari'],
      },
    ]);
    expect(queriesOf('conditions', context, WINDOW)).toEqual([
      { path: 'Condition', searches: ['patient=kari&_count=500', 'patient=kari'] },
    ]);
  });

  const all = 'patient=kari&category=laboratory,survey,social-history';
  const whole = [`${all}&_count=500`, all];
  test('FS4: results are requested since a day, and those with some codes at any age', () => {
    const since = [`${all}&date=ge2025-03-02&_count=500`, `${all}&date=ge2025-03-02`];
    expect(queriesOf('observations', context, undefined)).toEqual([{ path: 'Observation', searches: whole }]);
    expect(queriesOf('observations', context, WINDOW)).toEqual([
      { path: 'Observation', searches: [...since, ...whole] },
    ]);
    const codes = ['http://loinc.org|1', 'a,b'];
    const coded = `${all}&code=http%3A%2F%2Floinc.org%7C1,a%2Cb`;
    expect(queriesOf('observations', context, { ...WINDOW, codes })).toEqual([
      { path: 'Observation', searches: [...since, ...whole] },
      { path: 'Observation', searches: [`${coded}&_count=500`, coded, ...whole] },
    ]);
  });

  test.each([undefined, '.', '..', '...'])('an encounter with the id %s is not requested', (encounterId) => {
    expect(queriesOf('encounter', { ...context, encounterId }, undefined)).toEqual([]);
    expect(queriesOf('patient', { ...context, encounterId }, undefined)).toHaveLength(1);
  });

  test('an id is escaped as one path segment, and one that cannot be is not requested', () => {
    expect(queriesOf('patient', { ...context, patientId: 'a/$&b' }, undefined)[0]?.path).toBe('Patient/a%2F%24%26b');
    expect(queriesOf('encounter', { ...context, encounterId: '.a' }, undefined)[0]?.path).toBe('Encounter/.a');
    expect(queriesOf('patient', { ...context, patientId: '..' }, undefined)).toEqual([]);
  });

  test('each key is requested by its template', () => {
    for (const section of sections) {
      const [query] = queriesOf(section, context, undefined);
      const [path, search] = partOf[section].query
        .replaceAll(/\{\{context\.(\w+)Id\}\}/g, (_, name) => (name === 'patient' ? 'kari' : 'visit'))
        .split('?');
      expect([query?.path, query?.searches[1] ?? undefined]).toEqual([path, search]);
    }
  });
});
