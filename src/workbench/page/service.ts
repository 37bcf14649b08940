import type {
  Choices,
  Example,
  Json,
  Language,
  Medicine,
  Patient,
  RuleInWords,
  Service,
  Settings,
  Trace,
  Tried,
} from './wire.ts';
import { isObject } from './wire.ts';

/** The response to a call: the answer, how long it took, and where it went. */
export type Answer = {
  url: string;
  status: number;
  body: unknown;
  /** Milliseconds from sending to the complete answer. */
  ms: number;
  bytes: number;
  headers: [name: string, value: string][];
  language: Language;
};

/** The service could not be reached at all. */
class NoAnswer extends Error {}

async function send(path: string, options: RequestInit = {}) {
  const started = performance.now();
  try {
    const response = await fetch(path, options);
    const text = await response.text();
    return { response, text, ms: performance.now() - started };
  } catch {
    throw new NoAnswer('The service does not answer. Is "npm start" still running in its window?');
  }
}

function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}

/** Calls a service with a request, as a record system would. */
export async function call(service: string, request: Json, language: Language): Promise<Answer> {
  const url = new URL(`/cds-services/${encodeURIComponent(service)}`, location.href).href;
  const { response, text, ms } = await send(url, post(request, { 'accept-language': language }));
  const bytes = new TextEncoder().encode(text).length;
  const shown = ['content-type', 'content-language', 'cache-control', 'x-request-id', 'retry-after'];
  const headers = [...response.headers].filter(([name]) => shown.includes(name)) as [string, string][];
  return { url, status: response.status, body: parsed(text), ms, bytes, headers, language };
}

/** Sends feedback on a card. Returns the service's reply in words. */
export async function feedback(service: string, item: Json): Promise<string> {
  const { response, text } = await send(
    `/cds-services/${encodeURIComponent(service)}/feedback`,
    post({ feedback: [item] }),
  );
  const body = parsed(text);
  if (!response.ok) return [`Feedback not accepted (${response.status}).`, ...problemsOf(body)].join(' ');
  const results = isObject(body) && Array.isArray(body['results']) ? body['results'].filter(isObject) : [];
  return [`Feedback accepted (${response.status})`, ...results.map(({ status }) => String(status))].join(': ');
}

export async function discover(): Promise<Service[]> {
  const { services } = (await ask('/cds-services')) as { services: Service[] };
  return services;
}

export async function listPatients(): Promise<{ patients: Patient[]; examples: Example[] }> {
  return (await ask('/workbench/patients')) as { patients: Patient[]; examples: Example[] };
}

export async function listRules(): Promise<Record<string, RuleInWords>> {
  const { rules } = (await ask('/workbench/rules')) as { rules: Record<string, RuleInWords> };
  return rules;
}

export async function patientRequest(name: string): Promise<Json> {
  return (await ask(`/workbench/patient?name=${encodeURIComponent(name)}`)) as Json;
}

export async function searchMedicines(search: string): Promise<Medicine[]> {
  const { medicines } = (await ask(`/workbench/medicines?search=${encodeURIComponent(search)}`)) as {
    medicines: Medicine[];
  };
  return medicines;
}

export type FetchedRecord = {
  prefetch: Json;
  outcomes: { key: string; outcome: string; status?: number; host?: string }[];
};

export async function fetchRecord(wanted: Json): Promise<FetchedRecord> {
  return (await ask('/workbench/record', post(wanted))) as FetchedRecord;
}

export async function listChoices(): Promise<Choices> {
  return (await ask('/workbench/settings')) as Choices;
}

export async function trySettings(settings: Settings): Promise<Tried> {
  return (await ask('/workbench/settings', post(settings))) as Tried;
}

async function ask(path: string, options?: RequestInit): Promise<unknown> {
  const { response, text } = await send(path, options);
  const body = parsed(text);
  if (!response.ok) throw new Error(problemsOf(body).join(' ') || `The service answered ${response.status}.`);
  return body;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The messages of an OperationOutcome: its text once, then its details. */
export function problemsOf(body: unknown): string[] {
  const issues = isObject(body) && Array.isArray(body['issue']) ? body['issue'].filter(isObject) : [];
  return [
    ...new Set([
      ...issues.map(({ details }) => (isObject(details) ? String(details['text'] ?? '') : '')),
      ...issues.map(({ diagnostics }) => String(diagnostics ?? '')),
    ]),
  ].filter(Boolean);
}

/** The trace of an answer: beside the cards, or in the OperationOutcome of a 412. */
export function traceOf({ body }: Answer): Trace | undefined {
  const { extension } = isObject(body) ? body : {};
  if (Array.isArray(extension)) {
    const text = extension.filter(isObject).find(({ url }) => url === 'urn:nordic-opioid-cds:trace')?.['valueString'];
    return typeof text === 'string' ? (parsed(text) as Trace) : undefined;
  }
  const own = isObject(extension) ? extension['org.nordic-opioid-cds'] : undefined;
  return isObject(own) ? (own['trace'] as Trace | undefined) : undefined;
}
