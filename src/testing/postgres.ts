import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The folders of PostgreSQL's programs, the newest version first; undefined if there are none. */
const programs = ['/usr/lib/postgresql', '/usr/local/lib/postgresql', '/opt/homebrew/opt', '/usr']
  .filter((base) => existsSync(base))
  .flatMap((base) => ['', ...readdirSync(base).sort().reverse()].map((name) => join(base, name, 'bin')))
  .find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'pg_ctl')));

/** Why tests that need PostgreSQL are skipped, or undefined if they run. */
export const noPostgres =
  programs === undefined ? 'PostgreSQL is not installed here: install the package "postgresql"' : undefined;

export type Postgres = Awaited<ReturnType<typeof startPostgres>>;

/** A PostgreSQL server on a free port of this machine, without passwords, in a temporary folder. */
export async function startPostgres() {
  const folder = mkdtempSync(join(tmpdir(), 'cds-postgres-'));
  const port = await freePort();
  // PostgreSQL refuses to run as root.
  const root = process.getuid?.() === 0;
  const as = root
    ? { uid: Number(execFileSync('id', ['-u', 'nobody'])), gid: Number(execFileSync('id', ['-g', 'nobody'])) }
    : {};
  if (root) chownSync(folder, as.uid as number, as.gid as number);
  chmodSync(folder, 0o700);
  const data = join(folder, 'data');
  const run = (program: string, ...words: string[]) => {
    const { status, stderr } = spawnSync(join(programs as string, program), words, {
      ...as,
      cwd: folder,
      encoding: 'utf8',
      // The server inherits pg_ctl's streams, so they must not be ours.
      stdio: program === 'pg_ctl' ? 'ignore' : ['ignore', 'ignore', 'pipe'],
    });
    if (status !== 0) throw new Error(`${program}: ${stderr}`);
  };
  run('initdb', '-D', data, '-U', 'cds', '-A', 'trust', '-E', 'UTF8', '--locale=C');
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder} -c max_connections=50`;
  const start = () => run('pg_ctl', 'start', '-w', '-D', data, '-l', join(folder, 'log'), '-o', options);
  start();
  const url = (name: string) => `postgres://cds@127.0.0.1:${port}/${name}`;
  return {
    url: url('postgres'),
    /** Creates an empty database, and returns its address. */
    create: (name: string) => {
      run('createdb', '-h', '127.0.0.1', '-p', String(port), '-U', 'cds', name);
      return url(name);
    },
    start,
    /** Like a power cut: nothing is finished or flushed. */
    crash: () => run('pg_ctl', 'stop', '-m', 'immediate', '-D', data),
    remove: () => {
      spawnSync(join(programs as string, 'pg_ctl'), ['stop', '-m', 'immediate', '-D', data], {
        ...as,
        stdio: 'ignore',
      });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
