import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
    globals: false,
    pool: 'threads',
    // Many tests wait for processes of their own.
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});
