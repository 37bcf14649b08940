import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createArrivals } from './arrivals.ts';

const OVERLOADED = expect.objectContaining({ code: 'overloaded', headers: { 'retry-after': '5' } });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('S7: room for arriving bodies', () => {
  /** Bodies of these clients, with room for 10 bytes in all and 6 per client. Records which proceed. */
  function arriving(...clients: string[]) {
    const arrivals = createArrivals({ all: 10, client: 6 });
    const bodies = clients.map((client) => arrivals(client, 100));
    const said: string[] = [];
    /** Whether the body may proceed at once. */
    const take = (at: number, bytes: number) => {
      const room = bodies[at]?.take(bytes);
      room?.then(
        () => said.push(`${at} goes on`),
        (error) => {
          expect(error).toEqual(OVERLOADED);
          said.push(`${at} is refused`);
        },
      );
      return room === undefined;
    };
    const leave = (at: number) => bodies[at]?.leave();
    const heard = async (milliseconds = 0) => {
      await vi.advanceTimersByTimeAsync(milliseconds);
      return said.splice(0);
    };
    return { take, leave, heard };
  }

  test('the oldest body proceeds however large it is, and another needs room', () => {
    const { take } = arriving('a', 'b');
    expect(take(0, 1000)).toBe(true);
    expect(take(1, 1)).toBe(false);
  });

  test.each<[all: number, client: number, goesOn: boolean]>([
    [4, 6, true],
    [5, 6, false],
    [4, 7, true],
  ])('beside %s bytes of another client %s proceed: %s', (first, second, goesOn) => {
    const { take } = arriving('a', 'b');
    take(0, first);
    // The client limit does not hold up the oldest body of a client.
    expect(take(1, second)).toBe(goesOn && first + second <= 10);
  });

  test('of a client at its limit only the oldest body proceeds', () => {
    const { take } = arriving('a', 'b', 'b', 'b');
    expect(take(1, 6)).toBe(true);
    expect(take(2, 1)).toBe(false);
    expect(take(1, 1)).toBe(true);
    expect(take(3, 1)).toBe(false);
  });

  test('up to the limit of a client all of its bodies proceed', () => {
    const { take } = arriving('a', 'b', 'b');
    expect([take(1, 3), take(2, 3), take(2, 1)]).toEqual([true, true, false]);
  });

  test('a client whose bodies have left has all of its room again', () => {
    const { take, leave } = arriving('a', 'b', 'b', 'b');
    expect(take(1, 6)).toBe(true);
    leave(1);
    expect([take(2, 1), take(3, 5), take(3, 1)]).toEqual([true, true, false]);
  });

  test('a body that leaves wakes exactly those that then have room', async () => {
    const { take, leave, heard } = arriving('a', 'b', 'b', 'c');
    take(0, 5);
    expect(take(1, 5)).toBe(true);
    expect([take(2, 4), take(3, 3)]).toEqual([false, false]);
    expect(await heard()).toEqual([]);
    leave(0);
    // Twelve bytes are still held: only the oldest of all proceeds, and it does not wait.
    expect(await heard()).toEqual([]);
    leave(1);
    expect(await heard()).toEqual(['2 goes on', '3 goes on']);
  });

  test('a body that waits too long is refused once, and its room is free after it leaves', async () => {
    const { take, leave, heard } = arriving('a', 'b', 'c');
    take(0, 8);
    expect([take(1, 3), take(2, 1)]).toEqual([false, false]);
    expect(await heard(99)).toEqual([]);
    expect(await heard(1)).toEqual(['1 is refused', '2 is refused']);
    leave(1);
    expect(await heard()).toEqual([]);
    expect(take(2, 1)).toBe(true);
  });

  test('a body that proceeded in time is not refused later', async () => {
    const { take, leave, heard } = arriving('a', 'b');
    take(0, 10);
    take(1, 1);
    leave(0);
    expect(await heard(1000)).toEqual(['1 goes on']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a body that breaks off while waiting proceeds at once, and releases all its room exactly once', async () => {
    const { take, leave, heard } = arriving('a', 'b', 'c');
    take(0, 5);
    expect(take(1, 6)).toBe(false);
    leave(1);
    leave(1);
    expect(await heard(1000)).toEqual(['1 goes on']);
    expect(take(2, 5)).toBe(true);
    expect(take(2, 1)).toBe(false);
  });
});
