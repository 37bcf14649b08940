// What the service is measured against: reads and parses the same body, and answers a card of 1 kB that never changes.
//   node scripts/bench/baseline.ts http|fastify
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';

const card = {
  uuid: '00000000-0000-0000-0000-000000000000',
  summary: 'A card that says the same to everybody',
  detail: 'x'.repeat(700),
  indicator: 'info',
  source: { label: 'Nobody', topic: { code: 'none', system: 'urn:none' } },
};
const answer = { cards: [card] };

const kind = process.argv[2];
let port: number;
if (kind === 'http') {
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      if (JSON.parse(Buffer.concat(parts).toString()) === null) throw new Error('no body');
      const text = JSON.stringify(answer);
      response.writeHead(200, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(text),
      });
      response.end(text);
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  port = (server.address() as AddressInfo).port;
} else {
  const app = fastify({ bodyLimit: 8 * 1024 * 1024 });
  app.post('/cds-services/:id', async () => answer);
  port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port);
}
process.stderr.write(`answers at http://127.0.0.1:${port}\n`);
