import type { ActivityDefinition } from 'fhir/r4.js';
import type { Template } from '../rules/schema.ts';
import { type Context, header, imprint } from './context.ts';
import { said } from './words.ts';

/** The ActivityDefinition element for each element of a template. */
const ELEMENTS: Record<string, string> = {
  code: 'code',
  medicationCodeableConcept: 'productCodeableConcept',
  dosageInstruction: 'dosage',
  bodySite: 'bodySite',
  priority: 'priority',
  doNotPerform: 'doNotPerform',
};
const SAID = ['resourceType', 'status', 'intent'];

/** The orders that cards may offer, as ActivityDefinitions. */
export function activityDefinitions(context: Context): ActivityDefinition[] {
  const { knowledge, language } = context;
  return Object.entries(knowledge.templates).map(([key, template]): ActivityDefinition => {
    const texts = knowledge.cards.shared.orders[key];
    return {
      ...header(context, 'ActivityDefinition', key),
      ...(texts && said('title', texts, language)),
      status: 'active',
      ...imprint(context),
      kind: template.resourceType,
      intent: template.intent,
      ...Object.fromEntries(
        Object.entries(template)
          .filter(([name]) => Object.hasOwn(ELEMENTS, name))
          .map(([name, value]) => [ELEMENTS[name], value]),
      ),
    };
  });
}

/** Elements of templates that ActivityDefinition does not have. */
export function leftOutOfOrders(templates: Record<string, Template>): string[] {
  return Object.entries(templates).flatMap(([key, template]) =>
    Object.keys(template)
      .filter((name) => !SAID.includes(name) && !Object.hasOwn(ELEMENTS, name))
      .map((name) => `hooks/templates.yaml: ${key}.${name}`),
  );
}
