import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const words = process.argv.slice(2);
if (words.includes('--help')) {
  console.log(`Usage: npm test [-- NAMES]
       npm run test:watch [-- NAMES]

Runs every check of the project, one after the other; the tests come last. test:watch runs the tests alone, and again what a
change touches.

  NAMES  only the test files whose name holds one of these; other words go to vitest`);
  process.exit(0);
}
const watch = words[0] === '--watch' && Boolean(words.shift());
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tool = (path) => join(root, 'node_modules', path);
const colors = process.stdout.isTTY ? 'force' : 'off';

// Naming one takes vitest's own away.
const own = words.some((arg) => arg.startsWith('--reporter')) ? [] : ['--reporter=default'];
const reporters = [...own, '--reporter=./scripts/conformance.ts'];

const steps = [
  ['Style and lint (biome)', tool('@biomejs/biome/bin/biome'), 'ci', `--colors=${colors}`, '.'],
  ['Types (tsc)', tool('typescript/bin/tsc'), '--noEmit'],
  ['Types of the page (tsc)', tool('typescript/bin/tsc'), '-p', 'src/workbench/page'],
  ['Unused files, exports and packages (knip)', tool('knip/bin/knip.js')],
  ['Knowledge: hooks, cards and test bundles (npm run check)', join(root, 'src/cli/check.ts'), '--dry'],
  [
    'Tests (vitest), and what they prove (docs/conformance.md)',
    tool('vitest/vitest.mjs'),
    watch ? 'watch' : 'run',
    ...(watch ? [] : reporters),
    ...words,
  ],
];

const failed = [];
for (const [heading, ...command] of watch ? steps.slice(-1) : steps) {
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
