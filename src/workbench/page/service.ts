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
  const path = `/cds-services/${encodeURIComponent(service)}/feedback`;
  const { response, text } = await send(path, post({ feedback: [item] }));
  const body = parsed(text);
  if (!response.ok) return [`Feedback not accepted (${response.status}).`, ...problemsOf(body)].join(' ');
  const results = isObject(body) && Array.isArray(body['results']) ? body['results'].filter(isObject) : [];
  return [`Feedback accepted (${response.status})`, ...results.map(({ status }) => String(status))].join(': ');
}

export const discover = async () => (await ask<{ services: Service[] }>('/cds-services')).services;

export const listPatients = () => ask<{ patients: Patient[]; examples: Example[] }>('/workbench/patients');

export const listRules = async () => (await ask<{ rules: Record<string, RuleInWords> }>('/workbench/rules')).rules;

export const patientRequest = (name: string) => ask<Json>(`/workbench/patient?name=${encodeURIComponent(name)}`);

export async function searchMedicines(search: string): Promise<Medicine[]> {
  const path = `/workbench/medicines?search=${encodeURIComponent(search)}`;
  return (await ask<{ medicines: Medicine[] }>(path)).medicines;
}

export type FetchedRecord = {
  prefetch: Json;
  outcomes: { key: string; outcome: string; status?: number; host?: string }[];
};

export const fetchRecord = (wanted: Json) => ask<FetchedRecord>('/workbench/record', post(wanted));

export const listChoices = () => ask<Choices>('/workbench/settings');

export const trySettings = (settings: Settings) => ask<Tried>('/workbench/settings', post(settings));

async function ask<T>(path: string, options?: RequestInit): Promise<T> {
  const { response, text } = await send(path, options);
  const body = parsed(text);
  if (!response.ok) throw new Error(problemsOf(body).join(' ') || `The service answered ${response.status}.`);
  return body as T;
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
