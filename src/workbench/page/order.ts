import type { Medicine, Resource } from './wire.ts';

/** The contents of the order form. Numbers are as typed; empty means not stated. */
export type OrderForm = {
  /** The name as typed, and the medicine chosen from the list, if any. */
  name: string;
  medicine: Medicine | undefined;
  dose: string;
  unit: string;
  timesPerDay: string;
  asNeeded: boolean;
  start: string;
  stop: string;
  quantity: string;
  setting: '' | 'outpatient' | 'inpatient';
};

export const emptyOrder: OrderForm = {
  name: '',
  medicine: undefined,
  dose: '1',
  unit: 'tablet',
  timesPerDay: '3',
  asNeeded: false,
  start: '',
  stop: '',
  quantity: '',
  setting: '',
};

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/medicationrequest-category';

/** The draft order for the form, as a record system would send it. */
export function orderOf(form: OrderForm, id: string, patientId: string, today: string): Resource {
  const { name, medicine, setting, unit } = form;
  const quantity = amount(form.quantity);
  const coding = medicine && [{ system: medicine.system, code: medicine.code, display: medicine.name }];
  return {
    resourceType: 'MedicationRequest',
    id,
    status: 'draft',
    intent: 'order',
    ...(setting !== '' && { category: [{ coding: [{ system: CATEGORY, code: setting }] }] }),
    medicationCodeableConcept: { ...(coding && { coding }), text: name },
    subject: { reference: `Patient/${patientId}` },
    authoredOn: form.start === '' ? today : form.start,
    ...dosageOf(form),
    ...(quantity !== undefined && { dispenseRequest: { quantity: { value: quantity, unit } } }),
  };
}

function dosageOf({ dose, unit, timesPerDay, asNeeded, start, stop }: OrderForm) {
  const value = amount(dose);
  const frequency = amount(timesPerDay);
  const bounds = { ...(start !== '' && { start }), ...(stop !== '' && { end: stop }) };
  const repeat = {
    ...(Object.keys(bounds).length > 0 && { boundsPeriod: bounds }),
    ...(frequency !== undefined && { frequency, period: 1, periodUnit: 'd' }),
  };
  const dosage = {
    ...(Object.keys(repeat).length > 0 && { timing: { repeat } }),
    ...(asNeeded && { asNeededBoolean: true }),
    ...(value !== undefined && { doseAndRate: [{ doseQuantity: { value, unit } }] }),
  };
  return Object.keys(dosage).length > 0 ? { dosageInstruction: [dosage] } : {};
}

/** A number above 0 as typed, with a decimal comma or point. */
function amount(text: string): number | undefined {
  const value = Number(text.trim().replace(',', '.'));
  return text.trim() !== '' && value > 0 && Number.isFinite(value) ? value : undefined;
}

/** Why an order cannot be sent, in words; undefined if it can. */
export function faultOf({ name, start, stop }: OrderForm): string | undefined {
  if (name.trim().length < 2) return 'Choose a medicine first.';
  if (start !== '' && stop !== '' && stop < start) return 'The stop date is before the start date.';
  return undefined;
}
