import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Makes V8 allocate every object young. V8 otherwise learns from objects that survived some small collections to allocate
 * others of the same place old. Where that meets a part of a request, the dead old part keeps whole bodies alive until a full
 * collection: each small one then takes ten times as long.
 */
export function allocateYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}

/** V8's own garbage collector, which Node makes available only by a V8 flag. */
export function collector(): (options?: { type?: 'major' | 'minor'; flavor?: 'last-resort' }) => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return collect;
}

/**
 * Releases the memory left over from starting: some 70 MiB that V8 would keep, because a process that does little never
 * collects. Takes a tenth of a second.
 */
export function releaseStartupMemory(): void {
  collector()({ type: 'major', flavor: 'last-resort' });
}
