import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inputFiles } from '../forecast/input.ts';
import { inventPatient } from '../forecast/population.ts';
import { populationSchema } from '../forecast/population-schema.ts';
import { type ForecastOptions, forecast } from '../forecast/run.ts';
import { EVERYBODY } from '../forecast/share.ts';
import { readYaml } from '../yaml.ts';
import { root } from './app.ts';

/** The default site, whatever the hospital has set. */
const SITE = { name: 'site', path: fileURLToPath(new URL('../../test-bundles/forecast/site.yaml', import.meta.url)) };

const population = readYaml(join(root, 'test-bundles/population.yaml'), 'population.yaml', populationSchema, []);

/** A folder for a test's files; `remove` deletes it. */
export function scratch() {
  const folder = mkdtempSync(join(tmpdir(), 'nordic-opioid-forecast-'));
  return {
    path: (name: string) => join(folder, name),
    write(name: string, content: string | Buffer): string {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Invented patients as lists of resources. */
export function invented(count: number, seed = 7) {
  if (!population) throw new Error('test-bundles/population.yaml cannot be read');
  return Array.from({ length: count }, (_, at) => inventPatient(population.data, seed, at + 1));
}

export function ndjson(patients: unknown[][]): string {
  return patients
    .flat()
    .map((resource) => `${JSON.stringify(resource)}\n`)
    .join('');
}

/** A forecast of a file or folder at the default site. */
export function forecastOf(input: string, more: Partial<ForecastOptions> = {}) {
  return forecast({
    folder: root,
    files: inputFiles(input),
    share: EVERYBODY,
    copy: `${input}.sorted`,
    sites: [SITE],
    replay: { hooks: ['patient-view', 'order-sign'], absent: [] },
    workers: 1,
    clock: () => 0,
    ...more,
  });
}

/** Runs a command of src/cli/ as npm does. */
export function command(name: string, ...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const program = ['--disable-warning=ExperimentalWarning', `src/cli/${name}.ts`, ...words];
  return new Promise((done) => {
    execFile(process.execPath, program, { cwd: root, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      done({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}
