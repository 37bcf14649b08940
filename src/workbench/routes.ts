import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../errors.ts';
import { object, string } from '../fhir/json.ts';
import { isForeignPage, isLocalHost } from '../http/access.ts';
import { pageFile, pageScript, pageStyle } from './files.ts';
import { searchMedicines } from './medicines.ts';
import { createPatientList, listExamples, readPatient } from './patients.ts';
import { fetchRecord, type RecordOptions } from './record.ts';
import { describeRules } from './rules.ts';
import { createSettings } from './settings.ts';

export type WorkbenchOptions = RecordOptions & {
  /** The folder that contains hooks/ and cards/. */
  folder: string;
  /** The folder of the invented patients. It may be absent, as in the image. */
  testBundles: string;
};

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** The workbench of a sandbox: a page at `/`, and its own routes besides the services. */
export function workbenchRoutes(app: FastifyInstance, options: WorkbenchOptions): void {
  const { knowledge, testBundles } = options;
  const patients = createPatientList(testBundles, knowledge);
  const settings = createSettings(options.folder, knowledge, testBundles);
  const file = (reply: FastifyReply, type: string, content: string | Buffer) =>
    reply.headers(HEADERS).type(type).send(content);
  app.get('/', (_request, reply) => file(reply, 'text/html; charset=utf-8', pageFile('index.html')));
  app.get('/workbench/page.js', async (_request, reply) =>
    file(reply, 'text/javascript; charset=utf-8', await pageScript()),
  );
  app.get('/workbench/page.css', (_request, reply) => file(reply, 'text/css; charset=utf-8', pageStyle()));
  app.get('/workbench/icon.svg', (_request, reply) => file(reply, 'image/svg+xml', pageFile('icon.svg')));
  const onRequest = ownPageOnly;
  app.get('/workbench/patients', { onRequest }, (_request, reply) =>
    reply.headers(HEADERS).send({ patients: patients(), examples: listExamples(testBundles) }),
  );
  app.get('/workbench/patient', { onRequest }, (request, reply) => {
    const text = readPatient(testBundles, textOf(request.query, 'name') ?? '');
    if (text === undefined) throw new ServiceError('no-patient');
    return file(reply, 'application/json; charset=utf-8', text);
  });
  app.get('/workbench/rules', { onRequest }, (_request, reply) =>
    reply.headers(HEADERS).send({ rules: describeRules(knowledge), fingerprint: knowledge.fingerprint }),
  );
  app.get('/workbench/medicines', { onRequest }, (request, reply) =>
    reply.headers(HEADERS).send({ medicines: searchMedicines(knowledge.codes, textOf(request.query, 'search') ?? '') }),
  );
  app.get('/workbench/settings', { onRequest }, (_request, reply) => reply.headers(HEADERS).send(settings.choices()));
  app.post('/workbench/settings', { onRequest }, async (request, reply) =>
    reply.headers(HEADERS).send(await settings.tried(request.sent?.json)),
  );
  app.post('/workbench/record', { onRequest }, async (request, reply) =>
    reply.headers(HEADERS).send(await fetchRecord(request.sent?.json, request.client, options)),
  );
}

function textOf(query: unknown, name: string): string | undefined {
  return string(object(query)[name])?.trim();
}

/**
 * Pages of other origins may call a sandbox's services, but not use it to reach other servers on this machine. So these
 * routes answer only our page, under a host name of this machine.
 */
async function ownPageOnly({ headers }: FastifyRequest): Promise<void> {
  if (!isLocalHost(headers.host ?? '') || isForeignPage(headers, [])) throw new ServiceError('not-entitled');
}
