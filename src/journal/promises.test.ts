import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { inTime, serial, single } from './promises.ts';
import { JournalFailed } from './thread.ts';

describe('serial', () => {
  test('runs calls one by one in order, and gives each its result', async () => {
    const log: string[] = [];
    let number = 0;
    const run = serial(async () => {
      const own = ++number;
      log.push(`${own} begins`);
      await Promise.resolve();
      log.push(`${own} ends`);
      if (own === 2) throw new Error('second');
      return own;
    });
    const results = await Promise.allSettled([run(), run(), run()]);
    expect(log).toEqual(['1 begins', '1 ends', '2 begins', '2 ends', '3 begins', '3 ends']);
    expect(results).toEqual([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: new Error('second') },
      { status: 'fulfilled', value: 3 },
    ]);
  });
});

describe('single', () => {
  test('ignores a call while another runs, and accepts the next one after it', async () => {
    let runs = 0;
    let end = () => {};
    const run = single(() => {
      runs++;
      return new Promise<void>((resolve) => {
        end = resolve;
      });
    });
    run();
    run();
    expect(runs).toBe(1);
    end();
    await new Promise((wake) => setImmediate(wake));
    run();
    expect(runs).toBe(2);
  });
});

describe('in time', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  test('a result before the deadline is returned, and the timer is cleared', async () => {
    expect(await inTime(Promise.resolve('done'), 100)).toBe('done');
    await expect(inTime(Promise.reject(new Error('broken')), 100)).rejects.toThrow('broken');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('work that misses the deadline fails as late', async () => {
    const late = inTime(new Promise(() => {}), 100);
    let failed: unknown;
    late.catch((error) => {
      failed = error;
    });
    await vi.advanceTimersByTimeAsync(99);
    expect(failed).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(failed).toEqual(new JournalFailed('timeout'));
    expect((failed as JournalFailed).reason).toBe('timeout');
  });

  test('a failure after the deadline is ignored', async () => {
    let fail = (_error: Error) => {};
    const work = new Promise((_, reject) => {
      fail = reject;
    });
    const late = expect(inTime(work, 100)).rejects.toThrow('timeout');
    await vi.advanceTimersByTimeAsync(100);
    await late;
    const unhandled: unknown[] = [];
    const note = (error: unknown) => void unhandled.push(error);
    process.on('unhandledRejection', note);
    fail(new Error('too late'));
    await new Promise((wake) => setImmediate(wake));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});
