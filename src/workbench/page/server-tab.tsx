import { useState } from 'preact/hooks';
import { TextField } from './parts.tsx';
import { requestFor } from './request.ts';
import { type FetchedRecord, fetchRecord } from './service.ts';
import { messageOf, type Workbench } from './state.ts';

/** A patient of a FHIR server: the record is fetched with the service's own prefetch templates. */
export function ServerTab({ bench }: { bench: Workbench }) {
  const [form, setForm] = useState({ fhirServer: '', patientId: '', encounterId: '', token: '', hook: 'patient-view' });
  const [state, setState] = useState<{ busy: boolean; fault?: string; outcomes?: FetchedRecord['outcomes'] }>({
    busy: false,
  });
  const set = (changes: Partial<typeof form>) => setForm({ ...form, ...changes });
  const fetchIt = async () => {
    setState({ busy: true });
    const { fhirServer, patientId, encounterId, token, hook } = form;
    try {
      const { prefetch, outcomes } = await fetchRecord({
        hook,
        fhirServer,
        patientId,
        ...(encounterId !== '' && { encounterId }),
        ...(token !== '' && {
          fhirAuthorization: { access_token: token, token_type: 'Bearer', expires_in: 300, subject: 'workbench' },
        }),
      });
      setState({ busy: false, outcomes });
      const context = { patientId, ...(encounterId !== '' && { encounterId }) };
      await bench.take(requestFor(hook, context, prefetch), { kind: 'own', title: `Patient/${patientId}` });
    } catch (error) {
      setState({ busy: false, fault: messageOf(error) });
    }
  };
  const text = (name: 'fhirServer' | 'patientId' | 'encounterId' | 'token', label: string, more = {}) => (
    <TextField
      label={label}
      value={form[name]}
      change={(text) => set({ [name]: text.trim() })}
      more={{ spellcheck: false, autocapitalize: 'off', ...more }}
    />
  );
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void fetchIt();
      }}
    >
      {text('fhirServer', 'FHIR server (base address)', { required: true, placeholder: 'http://localhost:8080/fhir' })}
      {text('patientId', 'Patient id', { required: true })}
      {text('encounterId', 'Encounter id, if there is one')}
      {text('token', 'Access token, if the server wants one', { type: 'password' })}
      <label class="field">
        <span class="label-text">Hook</span>
        <select value={form.hook} onChange={({ currentTarget }) => set({ hook: currentTarget.value })}>
          {bench.services.map(({ hook }) => (
            <option key={hook}>{hook}</option>
          ))}
        </select>
      </label>
      <div role="alert">{state.fault ? <p class="fault">{state.fault}</p> : null}</div>
      <div class="actions">
        <button type="submit" class="primary" disabled={state.busy}>
          {state.busy ? 'Asking the server …' : 'Build the request and ask'}
        </button>
      </div>
      {state.outcomes ? (
        <div>
          <h3 class="small-title">What the server returned</h3>
          <ul class="plain outcomes">
            {state.outcomes.map(({ key, outcome, status, host }) => (
              <li key={key}>
                <code>{key}</code> <span>{[outcome, status, host].filter((part) => part !== undefined).join(' ')}</span>
              </li>
            ))}
          </ul>
        </div>
      ) : null}
      <p class="quiet">
        The sandbox asks only servers on this machine and those in <code>FHIR_SERVERS</code>. The token is used once and
        does not appear in any request.
      </p>
    </form>
  );
}
