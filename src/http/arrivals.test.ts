import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createArrivals } from './arrivals.ts';

const OVERLOADED = expect.objectContaining({ code: 'overloaded', headers: { 'retry-after': '5' } });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('S7: room for bodies on their way', () => {
  /** Bodies of these clients, with room for 10 bytes and for 6 of one client. Notes who has gone on. */
  function arriving(...clients: string[]) {
    const arrivals = createArrivals({ all: 10, client: 6 });
    const bodies = clients.map((client) => arrivals(client, 100));
    const said: string[] = [];
    /** Whether the body may go on at once. */
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

  test('the oldest goes on however large it is, and so does who has room', () => {
    const { take } = arriving('a', 'b');
    expect(take(0, 1000)).toBe(true);
    expect(take(1, 1)).toBe(false);
  });

  test.each<[all: number, client: number, goesOn: boolean]>([
    [4, 6, true],
    [5, 6, false],
    [4, 7, true],
  ])('beside %s bytes of another client %s go on: %s', (first, second, goesOn) => {
    const { take } = arriving('a', 'b');
    take(0, first);
    // Its own limit does not hold up the oldest body of a client.
    expect(take(1, second)).toBe(goesOn && first + second <= 10);
  });

  test('of a client at its limit only its oldest body goes on', () => {
    const { take } = arriving('a', 'b', 'b', 'b');
    expect(take(1, 6)).toBe(true);
    expect(take(2, 1)).toBe(false);
    expect(take(1, 1)).toBe(true);
    expect(take(3, 1)).toBe(false);
  });

  test('at the limit of a client, and not beyond, all of its bodies go on', () => {
    const { take } = arriving('a', 'b', 'b');
    expect([take(1, 3), take(2, 3), take(2, 1)]).toEqual([true, true, false]);
  });

  test('a client whose bodies have left has all of its room again', () => {
    const { take, leave } = arriving('a', 'b', 'b', 'b');
    expect(take(1, 6)).toBe(true);
    leave(1);
    expect([take(2, 1), take(3, 5), take(3, 1)]).toEqual([true, true, false]);
  });

  test('who leaves wakes those who then have room, and nobody else', async () => {
    const { take, leave, heard } = arriving('a', 'b', 'b', 'c');
    take(0, 5);
    expect(take(1, 5)).toBe(true);
    expect([take(2, 4), take(3, 3)]).toEqual([false, false]);
    expect(await heard()).toEqual([]);
    leave(0);
    // Twelve bytes are still there: only the oldest of all goes on, and it does not wait.
    expect(await heard()).toEqual([]);
    leave(1);
    expect(await heard()).toEqual(['2 goes on', '3 goes on']);
  });

  test('who waits too long is refused once, and its room is free when it leaves', async () => {
    const { take, leave, heard } = arriving('a', 'b', 'c');
    take(0, 8);
    expect([take(1, 3), take(2, 1)]).toEqual([false, false]);
    expect(await heard(99)).toEqual([]);
    expect(await heard(1)).toEqual(['1 is refused', '2 is refused']);
    leave(1);
    expect(await heard()).toEqual([]);
    expect(take(2, 1)).toBe(true);
  });

  test('who went on in time is not refused afterwards', async () => {
    const { take, leave, heard } = arriving('a', 'b');
    take(0, 10);
    take(1, 1);
    leave(0);
    expect(await heard(1000)).toEqual(['1 goes on']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a body that breaks off while it waits goes on at once, and gives back all that it took, once', async () => {
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
