import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from './app.ts';

/** The service as a separate process on a free port. */
export type Process = Awaited<ReturnType<typeof startProcess>>;

/** Starts `src/server.ts` and waits until it listens; if it ends before, rejects with its output. */
export async function startProcess(environment: Record<string, string>) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'src/server.ts')], {
    env: { PATH: process.env['PATH'], PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let written = '';
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const port = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        written += chunk;
        const found = /answers at https?:\/\/[^\s:]+:(\d+)/.exec(written)?.[1];
        if (found) resolve(found);
      });
    child.on('exit', (code) => reject(new Error(`ended with ${code}: ${written}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    child,
    written: () => written,
    end: (signal: NodeJS.Signals) => {
      child.kill(signal);
      return ended;
    },
  };
}
