import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Server = { name: string; url: string; child: ChildProcess; startMs: number };

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Starts a server as a separate process and waits until it listens. */
export async function start(name: string, words: string[], environment: Record<string, string> = {}): Promise<Server> {
  const begin = performance.now();
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=16', ...words],
    {
      cwd: root,
      // Like `npm start`.
      env: {
        PATH: process.env['PATH'],
        NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/node'),
        MALLOC_ARENA_MAX: '2',
        PORT: '0',
        ...environment,
      },
      // The service writes an audit line per call; ignoring them costs nothing.
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const url = await new Promise<string>((found, fail) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text) => {
      said += text;
      const [, address] = /answers at (http:\S+)/.exec(said) ?? [];
      if (address) found(address);
    });
    child.once('exit', () => fail(new Error(`${name}: ${said}`)));
  });
  return { name, url, child, startMs: performance.now() - begin };
}

export async function stop({ child }: Server): Promise<void> {
  const end = once(child, 'exit');
  child.kill('SIGTERM');
  await end;
}

/** Processor time of a process with all its threads, in milliseconds; from /proc, so on Linux only. */
export function cpuOf({ child }: Server): number {
  try {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    // utime and stime, in hundredths of a second.
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return Number.NaN;
  }
}

/** Memory of a process in MiB, now (`VmRSS`) or at its peak (`VmHWM`). */
export function memoryOf({ child }: Server, which: 'VmRSS' | 'VmHWM'): number {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(new RegExp(`${which}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}
