import { describe, expect, test } from 'vitest';
import { logCall } from './log.ts';

describe('the log line of a call', () => {
  test.each<[what: string, url: string | undefined, fields: object, service: string]>([
    ['for a service', '/cds-services/:id', { service: 's', hook: 'h' }, 's'],
    ['for another route', '/health', {}, '/health'],
    ['for no route', undefined, {}, 'none'],
    ['for a service that is not a string', '/x', { service: 7 }, '/x'],
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
