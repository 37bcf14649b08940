import { ServiceError } from '../errors.ts';
import { readRequest } from '../http/wire.ts';
import type { Hook } from '../rules/schema.ts';
import { type Json, pair } from './request.ts';

type Parts = { hook?: Hook; fields?: Json; context?: Json };

/** A call of a hook with other fields and another context. */
export const callWith = ({ hook = 'order-sign', fields = {}, context = {} }: Parts): Json => ({
  ...pair(hook, { context }),
  ...fields,
});

/** What is read of such a call. */
export const readCall = (parts: Parts) => readRequest(callWith(parts), parts.hook ?? 'order-sign');

/** What is wrong with the envelope of a call. Throws any other error. */
export function problemsOf(body: unknown, hook: Hook = 'order-sign'): string[] {
  try {
    readRequest(body, hook);
    return [];
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'envelope') throw error;
    return error.diagnostics;
  }
}

/** The fields that are named as wrong. */
export const namedOf = (body: unknown, hook?: Hook) => problemsOf(body, hook).map((text) => text.split(':')[0]);
