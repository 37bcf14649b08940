// npm makes it of package-lock.json, with hashes, licences and what needs what. `scope` is "required" for what is in the
// image, "optional" for what is not: the sandbox's page and the Node of `npm start`. Node and Debian of the image come
// from its base, which has a bill of its own. The same lock file gives the same bytes.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const [out] = process.argv.slice(2);
if (out === '--help') {
  console.log(`Usage: npm run --silent sbom [-- FILE]

Writes what the service is made of as CycloneDX JSON, to FILE or to standard output.`);
  process.exit(0);
}

const bill = JSON.parse(npm('sbom', '--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'));
delete bill.metadata.timestamp;
// npm calls it by the folder that it lies in.
bill.metadata.component.name = packages[''].name;
// Its own --omit=dev also leaves out what both the service and a tool need. The lock file tells them apart.
const runs = new Map(
  Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && !dev)
    .map(([path, of]) => [`${path.split('node_modules/').at(-1)}@${of.version}`, of]),
);
bill.components = bill.components.filter(({ name, version }) => runs.has(`${name}@${version}`));
const kept = new Set([bill.metadata.component, ...bill.components].map((component) => component['bom-ref']));
bill.dependencies = bill.dependencies
  .filter(({ ref }) => kept.has(ref))
  .map((of) => ({ ...of, dependsOn: (of.dependsOn ?? []).filter((ref) => kept.has(ref)) }));
for (const component of bill.components) {
  // npm leaves out licences that are no SPDX expression.
  const { license } = runs.get(`${component.name}@${component.version}`);
  if (!component.licenses?.length && license) component.licenses = [{ license: { name: license } }];
}
bill.serialNumber = `urn:uuid:${uuidOf(JSON.stringify({ ...bill, serialNumber: undefined }))}`;
const text = `${JSON.stringify(bill, null, 2)}\n`;
if (out === undefined) process.stdout.write(text);
else writeFileSync(out, text);

function npm(...words) {
  const cli = process.env.npm_execpath ?? '';
  const options = { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, stdio: ['ignore', 'pipe', 2] };
  const { status, stdout, error } =
    basename(cli) === 'npm-cli.js'
      ? spawnSync(process.execPath, [cli, ...words], options)
      : spawnSync(['npm', ...words].join(' '), { ...options, shell: true });
  if (status === 0) return stdout;
  console.error(error?.message ?? 'npm sbom failed: it needs npm 9.8 or newer.');
  process.exit(1);
}

/** A UUID (version 8) of a text. */
function uuidOf(text) {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
