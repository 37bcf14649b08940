import { type JsonObject, object, objects, parseJson, type Resource, string } from '../../fhir/json.ts';
import { partOf } from '../../fhir/prefetch.ts';
import { TAG } from './record.ts';

export type TestServer = ReturnType<typeof testServer>;

const TYPES = [...new Set([...Object.values(partOf).map(({ type }) => type), 'Medication'])];
const TIMEOUT = 60_000;

/** Writes to a FHIR test server. Every failure is an Error with a one-line message for the tester. */
export function testServer(base: string, token: string | undefined) {
  const ask = async (method: string, path: string, body?: JsonObject): Promise<JsonObject> => {
    const url = path === '' ? base : `${base}/${path}`;
    const response = await fetch(url, {
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT),
      headers: {
        accept: 'application/fhir+json',
        ...(body && { 'content-type': 'application/fhir+json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    }).catch((error: Error) => {
      throw new Error(`${method} ${url}: ${error.cause instanceof Error ? error.cause.message : error.message}`);
    });
    const found = object(parseJson(await response.text()));
    if (!response.ok) throw new Error(`${method} ${url}: HTTP ${response.status} ${diagnosticsIn(found)}`.trim());
    return found;
  };
  /** As one transaction: all or nothing, and references inside it need no order. */
  const transact = async (entries: JsonObject[]) => {
    if (entries.length === 0) return;
    const answer = await ask('POST', '', { resourceType: 'Bundle', type: 'transaction', entry: entries });
    for (const { response } of objects(answer['entry'])) {
      const { status, outcome } = object(response);
      if (!/^2/.test(string(status) ?? ''))
        throw new Error(
          `POST ${base}: an entry was answered with ${string(status)} ${diagnosticsIn(object(outcome))}`.trim(),
        );
    }
  };
  return {
    /** Name and FHIR version as reported by the server. */
    describe: async () => {
      const { fhirVersion, software } = await ask('GET', 'metadata');
      if (!/^4\.[03]/.test(string(fhirVersion) ?? ''))
        throw new Error(`${base} is not a FHIR R4 server: its version is ${string(fhirVersion) ?? 'not stated'}`);
      const { name, version } = object(software);
      return [name, version, `FHIR ${string(fhirVersion)}`].filter((part) => typeof part === 'string').join(' ');
    },
    /** Number of patients; undefined if the server does not report it. */
    patients: async () => {
      const { total } = await ask('GET', 'Patient?_summary=count');
      return typeof total === 'number' ? total : undefined;
    },
    /** References of resources left by earlier runs. */
    leftOver: async () => {
      const found: string[] = [];
      for (const type of TYPES) {
        const search = `${type}?_tag=${encodeURIComponent(`${TAG.system}|${TAG.code}`)}&_count=500`;
        const bundle = await ask('GET', search).catch((error: Error) => {
          // If the server lacks a type, it has no such resources.
          if (type === 'Patient' || !/HTTP (400|403|404)/.test(error.message)) throw error;
          return {} as JsonObject;
        });
        for (const { resource } of objects(bundle['entry'])) {
          const { resourceType, id, meta } = object(resource);
          // A server that ignores the parameter returns all resources.
          const tagged = objects(object(meta)['tag']).some(({ system }) => system === TAG.system);
          if (tagged) found.push(`${string(resourceType)}/${string(id)}`);
        }
      }
      return found;
    },
    load: (resources: readonly Resource[]) =>
      transact(
        resources.map((resource) => {
          const reference = `${resource.resourceType}/${string(resource['id'])}`;
          return { fullUrl: `${base}/${reference}`, resource, request: { method: 'PUT', url: reference } };
        }),
      ),
    // One by one, since servers refuse transactions that delete resources referring to each other. Repeated for those
    // still referred to.
    remove: async (references: readonly string[]) => {
      let left = [...references];
      while (left.length > 0) {
        const refused: string[] = [];
        for (const reference of left)
          await ask('DELETE', reference).catch((error: Error) => {
            if (/HTTP (404|410)/.test(error.message)) return;
            if (!error.message.includes('HTTP 409')) throw error;
            refused.push(reference);
          });
        if (refused.length === left.length) throw new Error(`the server did not delete ${refused.join(', ')}`);
        left = refused;
      }
    },
  };
}

/** What an issue of an OperationOutcome says. */
export function wordsOf(issue: JsonObject): string {
  return string(issue['diagnostics']) ?? string(object(issue['details'])['text']) ?? '';
}

function diagnosticsIn(outcome: JsonObject): string {
  return objects(outcome['issue']).slice(0, 1).map(wordsOf).join('');
}
