import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { pathOf } from '../testing/app.ts';
import { json, startScriptedServer } from '../testing/fhir-server.ts';
import { startProcess } from '../testing/process.ts';
import { order, request } from '../testing/request.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of cleanup.splice(0).reverse()) await close();
});

test.skipIf(process.platform === 'win32')(
  'FS13, R10: unhandled rejections end the process only after calls in progress are answered',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'unhandled-'));
    const fault = join(folder, 'fault.mjs');
    writeFileSync(
      fault,
      "process.on('SIGUSR2', () => { for (const at of [0, 20, 40]) setTimeout(() => Promise.reject(new Error('nobody waits')), at); });",
    );
    let asked = () => {};
    const begun = new Promise<void>((resolve) => {
      asked = resolve;
    });
    let answer = () => {};
    const server = await startScriptedServer({
      'Patient/kari': json({ resourceType: 'Patient', id: 'kari' }),
      MedicationRequest: (response, seen) => {
        answer = () => json({ resourceType: 'Bundle', type: 'searchset' })(response, seen);
        asked();
      },
    });
    const service = await startProcess({ NODE_OPTIONS: `--import=${fault}`, JOURNAL: 'off' });
    cleanup.push(server.close, () => rmSync(folder, { recursive: true }));
    const body = { ...request('order-sign', { drafts: [order('z', 'zopiclone')] }), prefetch: undefined };
    const call = fetch(`${service.url}${pathOf(body)}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, fhirServer: server.base }),
    });
    await begun;
    const ended = service.end('SIGUSR2');
    // Not before all of them have failed.
    while (service.written().split('the process failed').length < 4) await new Promise((wake) => setTimeout(wake, 20));
    answer();
    expect((await call).status).toBe(200);
    expect(await ended).toBe(1);
  },
);
