import type { WriteStream } from 'node:tty';

export type Progress = { update: (done: number, total?: number) => void; end: () => void };

type Options = {
  unit: string;
  clock: () => number;
  /** Name of this process if several write to one place: then each update is a new line, for a log. */
  name?: string;
};

/** Milliseconds between two states of the line, and between two lines of a log. */
const LINE_EVERY = 200;
const LOG_EVERY = 10_000;

/**
 * A terminal line that is overwritten: bar, share, rate, time left. If `stream` is not a terminal, nothing is written.
 * The total may be unknown or a changing estimate; without one there is no bar and no time left.
 */
export function progressLine(
  stream: Pick<WriteStream, 'isTTY' | 'write'> & { columns?: number },
  { unit, clock, name }: Options,
): Progress {
  if (name === undefined && !stream.isTTY) return { update: () => {}, end: () => {} };
  const started = clock();
  let written = name === undefined ? Number.NEGATIVE_INFINITY : started;
  let first: number | undefined;
  return {
    update(done, total) {
      const now = clock();
      // Work done by an earlier run says nothing about the current rate.
      first ??= done;
      if (now - written < (name === undefined ? LINE_EVERY : LOG_EVERY)) return;
      written = now;
      const [fresh, seconds] = [done - first, (now - started) / 1000];
      const line = lineOf(done, fresh, seconds, total, unit);
      if (name === undefined) stream.write(`\r${line.slice(0, Math.max(10, (stream.columns || 80) - 1))}\u001b[K`);
      else stream.write(`${name}: ${done.toLocaleString('en')} ${unit}${restOf(done, fresh, seconds, total)}\n`);
    },
    end: () => {
      if (name === undefined) stream.write('\r\u001b[K');
    },
  };
}

/** `, 41 %, 3 min 20 s left`, if the total is known. */
function restOf(done: number, fresh: number, seconds: number, total: number | undefined): string {
  if (total === undefined || total <= 0) return '';
  const left = fresh > 0 ? `, ${durationOf(((total - done) * seconds) / fresh)} left` : '';
  return `, ${Math.floor(Math.min(1, done / total) * 100)} %${left}`;
}

/** The text of the line. `fresh` of the `done` were done in these `seconds`. */
export function lineOf(done: number, fresh: number, seconds: number, total: number | undefined, unit: string): string {
  const rate = seconds > 0 ? fresh / seconds : 0;
  const speed = `${Math.round(rate).toLocaleString('en')} ${unit}/s`;
  if (total === undefined) return `${done.toLocaleString('en')} ${unit}, ${speed}`;
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const filled = Math.round(share * 24);
  const left = rate > 0 ? `, ${durationOf((total - done) / rate)} left` : '';
  return `[${'#'.repeat(filled)}${'-'.repeat(24 - filled)}] ${Math.floor(share * 100)} %, ${speed}${left}`;
}

/** `1 h 05 min`, `3 min 20 s`, `8 s`. */
export function durationOf(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  if (hours > 0) return `${hours} h ${two(minutes)} min`;
  return minutes > 0 ? `${minutes} min ${two(rest)} s` : `${rest} s`;
}
