import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import pkg from '../../package.json' with { type: 'json' };
import { root } from '../testing/app.ts';

/** Runs each command as npm does, by its script in package.json. */
test.each(Object.entries(pkg.scripts))(
  'npm run %s -- --help prints the usage and does nothing else',
  (name, command) => {
    const [program, ...words] = command.split(' ');
    expect(program).toBe('node');
    const { status, stdout, stderr } = spawnSync(process.execPath, [...words, '--help'], {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    });
    expect([status, stderr]).toEqual([0, '']);
    // `npm run dev` is `npm start` with automatic restarts.
    const [usage = '', ...more] = stdout.trimEnd().split('\n');
    expect(usage).toMatch(/^Usage: npm /);
    const named = name === 'dev' ? 'start' : name;
    expect(stdout).toMatch(new RegExp(`npm (run (--silent )?)?${named}(?![\\w-])`));
    expect(more.length).toBeGreaterThan(1);
  },
  60_000,
);
