import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Has V8 make every object young. From what outlived some small collections it learns to make others of the same place old
 * at once; where that meets a part of a request, the dead old part keeps whole bodies alive until a full collection. It
 * costs nothing that could be measured, and where it met us a call took half as long again.
 */
export function makeYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}

/** V8's own collector. Node has no other way to ask for it than V8's flag. */
export function collector(): (options?: { type?: 'major' | 'minor'; flavor?: 'last-resort' }) => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return collect;
}

/**
 * Returns the memory that starting has left behind: some 60 MiB that V8 would keep, since a process that does little never
 * collects. Takes a tenth of a second.
 */
export function giveBack(): void {
  collector()({ type: 'major', flavor: 'last-resort' });
}
