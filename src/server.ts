import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { createApp } from './app.ts';
import { readConfig } from './config.ts';
import { loadKnowledge } from './rules/load.ts';

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

process.stderr.write(`
Nordic Opioid CDS answers at ${address}

  Services:   curl ${address}/cds-services
  A card:     curl ${address}/cds-services/nordic-opioid-order-sign \\
                -H 'content-type: application/json' -H 'accept-language: en' \\
                -d @test-bundles/laro-benzodiazepines/zopiclone-in-laro-outpatient.request.json
  Why:        npm run explain -- test-bundles/laro-benzodiazepines/zopiclone-in-laro-outpatient.request.json
  Stop:       Ctrl-C

`);

function read() {
  try {
    return readConfig(process.env);
  } catch (error) {
    process.stderr.write(`The environment does not fit:\n${(error as Error).message}\n`);
    process.exit(1);
  }
}
