// Every check of the project, one after the other; the tests come last. Run it with: npm test [-- VITEST ARGS]
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tool = (path) => join(root, 'node_modules', path);
const colors = process.stdout.isTTY ? 'force' : 'off';

const steps = [
  ['Style and lint (biome)', tool('@biomejs/biome/bin/biome'), 'ci', `--colors=${colors}`, '.'],
  ['Types (tsc)', tool('typescript/bin/tsc'), '--noEmit'],
  ['Types of the page (tsc)', tool('typescript/bin/tsc'), '-p', 'src/workbench/page'],
  ['Unused files, exports and packages (knip)', tool('knip/bin/knip.js')],
  ['Knowledge: hooks, cards and test bundles (npm run check)', join(root, 'src/cli/check.ts'), '--dry'],
  ['Tests (vitest)', tool('vitest/vitest.mjs'), 'run', ...process.argv.slice(2)],
];

const failed = [];
for (const [heading, ...command] of steps) {
  console.log(`\n== ${heading}`);
  const { status } = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', ...command], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) failed.push(heading);
}

if (failed.length > 0) {
  console.error(`\nFailed:\n${failed.map((heading) => `  ${heading}`).join('\n')}`);
  process.exit(1);
}
