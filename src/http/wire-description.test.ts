import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { limits } from '../limits.ts';
import { type Hook, hooks } from '../rules/schema.ts';
import { callSchemas } from './wire.ts';

describe('the API description of a call', () => {
  type Schema = { description?: string; properties?: Record<string, Schema>; [key: string]: unknown };
  const described = (hook: Hook) => z.toJSONSchema(callSchemas[hook], { io: 'input' }) as Schema;

  test.each(hooks)('%s: every field is described, and the hook is its own', (hook) => {
    const { properties = {} } = described(hook);
    const { context, ...others } = properties;
    expect(properties['hook']?.['const']).toBe(hook);
    for (const [name, schema] of Object.entries({ ...others, ...context?.properties }))
      expect(schema.description, name).toMatch(/\w/);
    const fields: Record<Hook, string[]> = {
      'patient-view': [],
      'order-select': ['draftOrders', 'selections'],
      'order-sign': ['draftOrders'],
    };
    expect(Object.keys(context?.properties ?? {})).toEqual(['patientId', 'encounterId', ...fields[hook]]);
    expect(Object.keys(others).sort()).toEqual(
      ['hook', 'hookInstance', 'fhirServer', 'fhirAuthorization', 'prefetch', 'extension'].sort(),
    );
  });

  test('R7: an authorization object requires the server', () => {
    expect(described('order-sign')).toMatchObject({
      if: { required: ['fhirAuthorization'], properties: { fhirAuthorization: { type: 'object' } } },
      // biome-ignore lint/suspicious/noThenProperty: JSON Schema's word.
      then: { required: ['fhirServer'], properties: { fhirServer: { type: 'string' } } },
    });
  });

  test('the maximum of selections equals that of drafts', () => {
    expect(described('order-select').properties?.['context']?.properties?.['selections']?.['maxItems']).toBe(
      limits.drafts,
    );
  });
});
