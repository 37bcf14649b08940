import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { serviceId } from './http/discovery.ts';
import { loadKnowledge } from './knowledge/load.ts';

const config = read();
const { knowledge, problems } = loadKnowledge(config.knowledge);
if (!knowledge) {
  for (const { file, line, message } of problems) process.stderr.write(`${file}:${line}: ${message}\n`);
  process.exit(1);
}

const logger = pino({ level: config.logLevel, base: null, redact: ['req.headers', 'res.headers'] });
const app = await createApp({ knowledge, config, logger, clock: Date.now });
closeWithGrace({ delay: 10_000, logger }, () => app.close());
const address = await app.listen({ host: config.host, port: config.port });

process.stderr.write(welcome(address));

/** What a newcomer can try. The image has no test bundles, so there is nothing to send from it. */
function welcome(address: string): string {
  const folder = join(config.knowledge, 'test-bundles');
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort() : [];
  const example = names.find(
    (name) => name.endsWith('.request.json') && readFileSync(join(folder, name), 'utf8').includes('"order-sign"'),
  );
  const lines = [
    `Nordic Opioid CDS answers at ${address}`,
    '',
    `  Services   curl ${address}/cds-services`,
    ...(example === undefined
      ? []
      : [
          `  A card     curl -d @test-bundles/${example} -H 'content-type: application/json' \\`,
          `               -H 'accept-language: en' ${address}/cds-services/${serviceId('order-sign')}`,
          `  Why        npm run explain -- test-bundles/${example}`,
        ]),
    '  Stop       Ctrl-C',
  ];
  return `\n${lines.join('\n')}\n\n`;
}

function read() {
  try {
    return readConfig(process.env);
  } catch (error) {
    process.stderr.write(`The environment does not fit:\n${(error as Error).message}\n`);
    process.exit(1);
  }
}
