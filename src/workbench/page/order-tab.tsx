import { useEffect, useRef, useState } from 'preact/hooks';
import { MedicineBox } from './combobox.tsx';
import { emptyOrder, faultOf, type OrderForm, orderOf } from './order.ts';
import { Empty, TextField } from './parts.tsx';
import { dayOf, draftsOf, hookOf, patientIdOf, refOf, withoutDraft } from './request.ts';
import type { Workbench } from './state.ts';
import { objectOf, type Resource } from './wire.ts';

/** The order form: each change calls order-select, its button calls order-sign. */
export function OrderTab({ bench }: { bench: Workbench }) {
  const { request } = bench;
  const [form, setForm] = useState(emptyOrder);
  const [number, setNumber] = useState(1);
  const [touched, setTouched] = useState(0);
  const id = `order-form-${number}`;
  const fault = faultOf(form);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const draft = () => {
    const today = bench.trace?.today ?? (dayOf(request ?? {}) || new Date().toISOString().slice(0, 10));
    return orderOf(form, id, patientIdOf(request ?? {}), today);
  };
  useEffect(() => {
    if (touched === 0 || fault !== undefined) return;
    timer.current = setTimeout(() => void bench.order(draft(), 'order-select'), 350);
    return () => clearTimeout(timer.current);
  }, [touched]);

  if (!request)
    return (
      <Empty title="No patient yet">
        An order needs a patient. Choose one from the list, paste a request, or ask a FHIR server.
      </Empty>
    );
  const set = (changes: Partial<OrderForm>) => {
    setForm({ ...form, ...changes });
    setTouched(touched + 1);
  };
  const field = (name: 'dose' | 'unit' | 'timesPerDay' | 'quantity' | 'start' | 'stop', label: string, more = {}) => (
    <TextField label={label} value={form[name]} change={(text) => set({ [name]: text })} more={more} />
  );
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        clearTimeout(timer.current);
        if (fault === undefined) void bench.order(draft(), 'order-sign');
        else setTouched(touched + 1);
      }}
    >
      <MedicineBox text={form.name} change={(name, medicine) => set({ name, medicine })} />
      <div class="row">
        {field('dose', 'Dose', { inputMode: 'decimal' })}
        {field('unit', 'Unit')}
        {field('timesPerDay', 'Times a day', { inputMode: 'decimal' })}
      </div>
      <div class="row">
        {field('start', 'Start', { type: 'date' })}
        {field('stop', 'Stop (last day)', { type: 'date' })}
      </div>
      <div class="row">
        {field('quantity', 'Quantity', { inputMode: 'decimal' })}
        <label class="field">
          <span class="label-text">Care setting</span>
          <select
            value={form.setting}
            onChange={({ currentTarget }) => set({ setting: currentTarget.value as OrderForm['setting'] })}
          >
            <option value="">not stated</option>
            <option value="outpatient">outpatient</option>
            <option value="inpatient">inpatient</option>
          </select>
        </label>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={form.asNeeded}
          onChange={({ currentTarget }) => set({ asNeeded: currentTarget.checked })}
        />
        As needed
      </label>
      <div role="alert">{touched > 0 && fault ? <p class="fault">{fault}</p> : null}</div>
      <div class="actions">
        <button type="submit" class="primary">
          Sign the order
        </button>
        <button
          type="button"
          onClick={() => {
            setForm(emptyOrder);
            setTouched(0);
            setNumber(number + 1);
          }}
        >
          New order
        </button>
      </div>
      <p class="quiet">Each change calls order-select; signing calls order-sign. Nothing is prescribed anywhere.</p>
      <Drafts bench={bench} />
    </form>
  );
}

/** The drafts of the request, each with a button to remove it. */
function Drafts({ bench }: { bench: Workbench }) {
  const { request = {} } = bench;
  const drafts = draftsOf(request);
  if (drafts.length === 0) return null;
  return (
    <div>
      <h3 class="small-title">Drafts in the request</h3>
      <ul class="plain drafts">
        {drafts.map((draft) => {
          const ref = refOf(draft);
          const name = nameOf(draft);
          return (
            <li key={ref}>
              <button type="button" class="link" onClick={() => bench.show([ref])}>
                {name}
              </button>
              <button
                type="button"
                class="quiet-button"
                aria-label={`Remove ${name}`}
                onClick={() => void bench.ask(withoutDraft(request, ref))}
              >
                Remove
              </button>
            </li>
          );
        })}
      </ul>
      <p class="quiet">
        Sent as <code>{hookOf(request)}</code>
      </p>
    </div>
  );
}

/** The name of an order's medicine, wherever the order has it. */
function nameOf(order: Resource): string {
  const concept = objectOf(
    order['medicationCodeableConcept'] ?? objectOf(order['medication'])['concept'] ?? order['code'],
  );
  const coding = Array.isArray(concept['coding']) ? objectOf(concept['coding'][0]) : {};
  const reference = objectOf(order['medicationReference']);
  const name = [concept['text'], coding['display'], reference['display'], coding['code']].find(
    (text) => typeof text === 'string' && text !== '',
  );
  return typeof name === 'string' ? name : refOf(order);
}
