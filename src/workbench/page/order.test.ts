import { expect, test } from 'vitest';
import { emptyOrder, faultOf, type OrderForm, orderOf } from './order.ts';

const medicine = { name: 'a', system: 'urn:s', code: 'c', lists: [] };
const made = (form: Partial<OrderForm>) => orderOf({ ...emptyOrder, ...form }, 'x', 'kari', '2026-03-02');

test('a completed form becomes a FHIR order for the patient', () => {
  expect(
    made({
      name: 'a',
      medicine,
      dose: '1,5',
      timesPerDay: '2',
      start: '2026-03-03',
      stop: '2026-03-07',
      quantity: '10',
    }),
  ).toEqual({
    resourceType: 'MedicationRequest',
    id: 'x',
    status: 'draft',
    intent: 'order',
    medicationCodeableConcept: { coding: [{ system: 'urn:s', code: 'c', display: 'a' }], text: 'a' },
    subject: { reference: 'Patient/kari' },
    authoredOn: '2026-03-03',
    dosageInstruction: [
      {
        timing: {
          repeat: {
            boundsPeriod: { start: '2026-03-03', end: '2026-03-07' },
            frequency: 2,
            period: 1,
            periodUnit: 'd',
          },
        },
        doseAndRate: [{ doseQuantity: { value: 1.5, unit: 'tablet' } }],
      },
    ],
    dispenseRequest: { quantity: { value: 10, unit: 'tablet' } },
  });
});

test('empty fields and invalid numbers are left out of the order', () => {
  const order = made({ name: 'a', dose: '', timesPerDay: 'often', quantity: '-3' });
  expect(Object.keys(order)).not.toContain('dosageInstruction');
  expect(Object.keys(order)).not.toContain('dispenseRequest');
  expect(order).toMatchObject({ authoredOn: '2026-03-02', medicationCodeableConcept: { text: 'a' } });
});

test('an order without a medicine, or that ends before it begins, is rejected with a reason', () => {
  expect(faultOf(emptyOrder)).toMatch(/medicine/);
  expect(faultOf({ ...emptyOrder, name: 'aa', start: '2026-03-02', stop: '2026-03-01' })).toMatch(/before the start/);
  expect(faultOf({ ...emptyOrder, name: 'aa', start: '2026-03-02', stop: '2026-03-02' })).toBeUndefined();
});
