import { defineConfig } from 'vitest/config';

/** Tests that put another module in a module's place, or look at what the process as a whole does: each is alone. */
const alone = ['src/fhir/names', 'src/reference/reference', 'src/http/memory', 'src/http/unhandled', 'src/memory'].map(
  (name) => `${name}.test.ts`,
);

export default defineConfig({
  test: {
    environment: 'node',
    globals: false,
    pool: 'threads',
    // Many tests wait for processes of their own.
    maxWorkers: 2,
    testTimeout: 20_000,
    projects: [
      // Most files share the modules that they import: to import them again for each takes longer than the tests.
      {
        extends: true,
        test: { name: 'shared', include: ['src/**/*.test.ts'], exclude: alone, isolate: false },
      },
      { extends: true, test: { name: 'alone', include: alone } },
    ],
  },
});
