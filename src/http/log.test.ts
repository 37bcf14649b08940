import { describe, expect, test } from 'vitest';
import { logCall } from './log.ts';

describe('the line of a call', () => {
  test.each<[what: string, url: string | undefined, fields: object, service: string]>([
    ['of a service', '/cds-services/:id', { service: 's', hook: 'h' }, 's'],
    ['of another route', '/health', {}, '/health'],
    ['of no route', undefined, {}, 'none'],
    ['of a service that is no text', '/x', { service: 7 }, '/x'],
  ])('%s', (_, url, logFields, service) => {
    const lines: unknown[] = [];
    const calls: unknown[] = [];
    const log = { info: (...line: unknown[]) => lines.push(line) };
    const request = { routeOptions: { url }, method: 'GET', logFields, log };
    logCall(
      request as never,
      { statusCode: 200, elapsedTime: 1500.5 } as never,
      { call: (...call: unknown[]) => calls.push(call) } as never,
    );
    expect(lines).toEqual([[{ method: 'GET', route: url ?? 'none', status: 200, ms: 1501, ...logFields }, 'answered']]);
    expect(calls).toEqual([[service, 200, 1.5005]]);
  });
});
