import { describe, expect, test, vi } from 'vitest';
import { createGate } from './gate.ts';
import { shapeOf } from './shape.ts';
import { createTurns } from './turns.ts';

const OVERLOADED = expect.objectContaining({ code: 'overloaded', diagnostics: [], headers: { 'retry-after': '5' } });

describe('S7: room for bodies', () => {
  /** Records who entered, and lets each leave. A body still waiting when its test ends is refused later, without effect. */
  function queue(gate: ReturnType<typeof createGate>) {
    const entered: string[] = [];
    const leave = new Map<string, () => void>();
    const enter = (name: string, client: string, weight: number) =>
      gate.enter(client, weight, 60_000).then(
        (go) => {
          entered.push(name);
          leave.set(name, go);
        },
        () => undefined,
      );
    return { entered, enter, leave };
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  test('bodies enter in order, and none overtakes one that waits for the total', async () => {
    const { entered, enter, leave } = queue(createGate({ all: 10, client: 10 }));
    void enter('first', 'a', 8);
    void enter('large', 'b', 5);
    void enter('small', 'c', 1);
    await settled();
    expect(entered).toEqual(['first']);
    leave.get('first')?.();
    await settled();
    expect(entered).toEqual(['first', 'large', 'small']);
  });

  test('a client at its own limit holds up only itself', async () => {
    const { entered, enter, leave } = queue(createGate({ all: 10, client: 5 }));
    void enter('a1', 'a', 4);
    void enter('a2', 'a', 4);
    void enter('b1', 'b', 4);
    await settled();
    expect(entered).toEqual(['a1', 'b1']);
    leave.get('a1')?.();
    await settled();
    expect(entered).toEqual(['a1', 'b1', 'a2']);
  });

  test('a body larger than the whole room enters alone', async () => {
    const { entered, enter, leave } = queue(createGate({ all: 10, client: 6 }));
    void enter('large', 'a', 20);
    void enter('small', 'b', 1);
    await settled();
    expect(entered).toEqual(['large']);
    leave.get('large')?.();
    leave.get('large')?.();
    await settled();
    expect(entered).toEqual(['large', 'small']);
  });

  test('the limit of a client is full for that client, and the total limit for all', async () => {
    const { entered, enter, leave } = queue(createGate({ all: 10, client: 6 }));
    for (const [name, client, weight] of [
      ['a1', 'a', 5],
      ['a2', 'a', 1],
      ['a3', 'a', 1],
      ['b1', 'b', 4],
      ['c1', 'c', 1],
    ] as const)
      void enter(name, client, weight);
    await settled();
    expect(entered).toEqual(['a1', 'a2', 'b1']);
    // Releasing twice counts once.
    leave.get('b1')?.();
    leave.get('b1')?.();
    await settled();
    expect(entered).toEqual(['a1', 'a2', 'b1', 'c1']);
    void enter('d1', 'd', 4);
    await settled();
    expect(entered).not.toContain('d1');
    leave.get('a1')?.();
    await settled();
    expect(entered).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'd1']);
  });

  test('a client without bodies may exceed its own limit if there is room in total', async () => {
    const { entered, enter, leave } = queue(createGate({ all: 10, client: 5 }));
    void enter('b1', 'b', 2);
    void enter('a1', 'a', 8);
    void enter('b2', 'b', 1);
    await settled();
    expect(entered).toEqual(['b1', 'a1']);
    leave.get('a1')?.();
    await settled();
    void enter('a2', 'a', 8);
    leave.get('b2')?.();
    await settled();
    expect(entered).toEqual(['b1', 'a1', 'b2', 'a2']);
  });

  test('a body that waits for its client’s room holds up nobody, even if there is just enough room in total', async () => {
    const { entered, enter } = queue(createGate({ all: 10, client: 5 }));
    void enter('a1', 'a', 5);
    void enter('a2', 'a', 5);
    void enter('b1', 'b', 1);
    await settled();
    expect(entered).toEqual(['a1', 'b1']);
  });

  test('a body that entered in time is not refused later, and keeps its room', async () => {
    vi.useFakeTimers();
    const gate = createGate({ all: 10, client: 10 });
    const leave = await gate.enter('a', 10, 5);
    const second = gate.enter('b', 10, 5);
    leave();
    await second;
    expect(vi.getTimerCount()).toBe(0);
    const third = gate.enter('c', 1, 5);
    const refused = expect(third).rejects.toEqual(OVERLOADED);
    await vi.advanceTimersByTimeAsync(5);
    await refused;
    vi.useRealTimers();
  });

  test('a body that waits too long is refused, and those behind it enter', async () => {
    const gate = createGate({ all: 10, client: 10 });
    const { entered, enter } = queue(gate);
    void enter('first', 'a', 8);
    const late = gate.enter('b', 5, 1);
    void enter('small', 'c', 1);
    await expect(late).rejects.toEqual(OVERLOADED);
    await settled();
    expect(entered).toEqual(['first', 'small']);
  });
});

test('one turn is given per round of the event loop, in order', async () => {
  const turn = createTurns();
  const seen: string[] = [];
  const round = () => new Promise<void>((resolve) => setImmediate(resolve));
  const both = Promise.all([turn().then(() => seen.push('one')), turn().then(() => seen.push('two'))]);
  await round();
  seen.push('between');
  await both;
  expect(seen).toEqual(['one', 'between', 'two']);
  await turn();
  await turn();
});

test('nothing is left to do after everyone has had a turn', async () => {
  vi.useFakeTimers({ toFake: ['setImmediate'] });
  const turn = createTurns();
  const both = [turn(), turn('body')];
  expect(vi.getTimerCount()).toBe(1);
  vi.runAllTimers();
  await Promise.all(both);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test('a call that already holds a body goes before new ones', async () => {
  const turn = createTurns();
  const seen: string[] = [];
  const say = (word: string) => () => void seen.push(word);
  await Promise.all([
    turn().then(say('first')),
    turn().then(say('second')),
    turn('body').then(say('body')),
    turn('body').then(say('other body')),
  ]);
  expect(seen).toEqual(['body', 'other body', 'first', 'second']);
});

describe('the structure of a JSON text', () => {
  const shape = (text: string, depth = 100, values = 100) => {
    const found = shapeOf(Buffer.from(text), { depth, values });
    return [found.depth, found.values];
  };
  test.each<[text: string, depth: number, values: number]>([
    ['', 0, 0],
    ['7', 0, 0],
    ['"a"', 0, 1],
    ['{}', 1, 1],
    ['[[],[]]', 2, 3],
    ['{"a":"b"}', 1, 3],
    ['"[{\\"[{"', 0, 1],
    ['"\\\\"[]', 1, 2],
    ['"\\\\\\"[]"', 0, 1],
    ['"a', 0, 1],
    ['["a","b"]', 1, 3],
  ])('%s', (text, depth, values) => {
    expect(shape(text)).toEqual([depth, values]);
  });

  test('counting stops just beyond a limit', () => {
    expect(shape('[[[[]]]]', 2)).toEqual([3, 3]);
    expect(shape('[[]][[]]', 2)).toEqual([2, 4]);
    expect(shape('[1]["a"]["b"]', 9, 3)).toEqual([1, 4]);
    expect(shape('[]["a"]', 9, 3)).toEqual([1, 3]);
  });
});
