// Starts a TypeScript file of this project:  node scripts/run.mjs [--dev] [--lean] [--watch] FILE [ARGS]
// First makes node_modules fit package-lock.json, then picks a Node that runs TypeScript as it is. In production nothing is
// installed: what is missing is said.
// What Node makes of the code (types taken out, compiled) is kept in node_modules/.cache, so that the next start is faster.
// --watch starts it again when hooks/, cards/ or src/ change. --dev also wants the development tools. --lean keeps the memory
// of a program with many threads small, with a small nursery. Any Node from 20 on can read this file itself.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lock = join(root, '.install.lock');
const windows = process.platform === 'win32';
const args = process.argv.slice(2);
const dev = args[0] === '--dev' && Boolean(args.shift());
const lean = args[0] === '--lean' && Boolean(args.shift());
const watch = args[0] === '--watch' && Boolean(args.shift());
// MODE decides for the service, NODE_ENV for whatever else.
const production = process.env.MODE === 'production' || process.env.NODE_ENV === 'production';
const file = args.shift() ?? fail('use: node scripts/run.mjs [--dev] [--lean] [--watch] FILE [ARGS]');

if (!installed()) {
  if (production)
    fail('node_modules does not fit package-lock.json, and nothing is installed in production: npm ci --omit=dev');
  await install();
}
// MiB. Without a bound V8 lets the nursery grow to 128 MiB under calls made to do harm, and keeps it so.
const flags = ['--disable-warning=ExperimentalWarning', `--max-semi-space-size=${lean ? 4 : 16}`];
if (watch && !args.includes('--help'))
  flags.push(
    '--watch',
    '--watch-preserve-output',
    ...['hooks', 'cards', 'src'].map((folder) => `--watch-path=${join(root, folder)}`),
  );
run(pickNode(), [...flags, resolve(root, file), ...args]);

function fail(message) {
  console.error(message);
  process.exit(1);
}

// npm keeps its own record of what it laid in node_modules: compare that with the lock file.
function installed() {
  if (!existsSync(join(root, 'package-lock.json'))) return existsSync(join(root, 'node_modules'));
  const record = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const have = readPackages(record);
  return Object.entries(readPackages(join(root, 'package-lock.json'))).every(([path, want]) => {
    const got = have[path];
    if (!got) return path === '' || mayLack(want);
    return got.version === want.version && got.integrity === want.integrity;
  });
}

// Of what is optional, a sandbox has its page's libraries; the Node and the tools of another machine nobody has.
function mayLack(want) {
  const elsewhere = want.optional && (production || want.dev || want.cpu || want.os);
  return elsewhere || want.devOptional || (want.dev && !dev);
}

function readPackages(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages;
}

// One start installs; another one at the same time waits for it.
async function install() {
  for (let said = false; !takeLock(); said = true) {
    if (!said) console.error(`Waiting for another start that is installing packages (${basename(lock)}) ...`);
    await new Promise((wake) => setTimeout(wake, 300));
  }
  const ok = installed() || npmCi();
  rmSync(lock, { force: true });
  if (!ok) fail('npm ci failed: see above, or run "npm ci" by hand.');
}

function npmCi() {
  console.error('Installing the packages of package-lock.json (npm ci) ...');
  const words = ['ci', '--ignore-scripts', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  if (dev) words.push('--include=dev');
  const cli = process.env.npm_execpath ?? '';
  // Everything npm says goes to stderr: stdout belongs to the program that is started.
  const options = { cwd: root, stdio: ['ignore', 2, 2] };
  const { status, error } =
    basename(cli) === 'npm-cli.js'
      ? spawnSync(process.execPath, [cli, ...words], options)
      : spawnSync(['npm', ...words].join(' '), { ...options, shell: true });
  if (error) console.error(error.message);
  return status === 0;
}

function takeLock() {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0); // Does the holder still run?
  } catch (error) {
    if (error.code === 'ESRCH') rmSync(lock, { force: true }); // It died: the lock is left over.
  }
  return false;
}

function pickNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 19)) return process.execPath;
  const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;
  const own = join(root, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
  if (existsSync(own) && spawnSync(own, ['--version']).status === 0) return own;
  return fail(`Node 22.19 or newer is needed: install Node 24. (This is Node ${process.versions.node}.)`);
}

function run(node, words) {
  // Slow name servers of some clients must not hold up what else Node does in these threads.
  // glibc otherwise gives each thread an arena of its own, and keeps what was freed in it.
  const kept = {
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'node'),
    UV_THREADPOOL_SIZE: '16',
    MALLOC_ARENA_MAX: '2',
  };
  const env = { ...kept, ...process.env };
  const child = spawn(node, words, { stdio: 'inherit', env });
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  // The child takes a second signal for "at once": send one, also where npm or a terminal sends two.
  let sent = 0;
  const stop = (signal) => {
    if (Date.now() - sent < 1000) return;
    sent = Date.now();
    child.kill(signal);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', (signal) => terminal || stop(signal)); // A terminal's Ctrl-C reaches the child by itself.
  // npm's shell can die of a signal without passing it on: do not leave the child behind.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (!process.env.npm_lifecycle_event || process.ppid === parent) return;
    clearInterval(watch);
    stop('SIGTERM');
  }, 500);
  child.on('error', (error) => fail(`Could not start ${node}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (!signal) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
