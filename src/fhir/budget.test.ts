import { describe, expect, test } from 'vitest';
import { createBudgets } from './budget.ts';

const bounds = { call: { bytes: 10, parts: 5, resources: 3 }, client: { bytes: 15 }, all: { bytes: 20 } };

describe('FS10: limits on the answers of FHIR servers', () => {
  test('the bytes and parts of all answers to one call are limited', () => {
    const budget = createBudgets(bounds)('a');
    expect([budget.take(4, 2), budget.take(6, 3), budget.take(1, 0), budget.take(0, 1)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('a refused answer is not counted', () => {
    const budget = createBudgets(bounds)('a');
    expect([budget.take(11, 0), budget.take(0, 6), budget.take(10, 5)]).toEqual([false, false, true]);
  });

  test('the resources of one call are limited', () => {
    const budget = createBudgets(bounds)('a');
    expect([budget.takeResources(2), budget.takeResources(1), budget.takeResources(1)]).toEqual([true, true, false]);
  });

  test('all calls of a client share a limit that other clients do not', () => {
    const open = createBudgets(bounds);
    expect([open('a').take(10, 0), open('a').take(6, 0), open('a').take(5, 0), open('a').take(1, 0)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect([open('b').take(6, 0), open('b').take(5, 0), open('b').take(1, 0)]).toEqual([false, true, false]);
  });

  test('what a call held is released once, when it ends', () => {
    const open = createBudgets(bounds);
    const first = open('a');
    first.take(10, 0);
    first.end();
    first.end();
    const [second, third] = [open('a'), open('a')];
    expect([second.take(10, 0), third.take(5, 0), open('a').take(1, 0)]).toEqual([true, true, false]);
    third.end();
    expect([open('a').take(6, 0), open('a').take(5, 0)]).toEqual([false, true]);
  });

  test('the limits have their documented values', () => {
    const budget = createBudgets()('a');
    const MiB = 1024 * 1024;
    expect([budget.take(16 * MiB, 2_000_000), budget.take(1, 0), budget.take(0, 1)]).toEqual([true, false, false]);
    expect([budget.takeResources(20_000), budget.takeResources(1)]).toEqual([true, false]);
    const open = createBudgets();
    const calls = ['a', 'a', 'a', 'b', 'b', 'c'].map((client) => open(client).take(16 * MiB, 0));
    expect(calls).toEqual([true, true, false, true, true, false]);
  });
});
