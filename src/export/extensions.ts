import type { StructureDefinition } from 'fhir/r4.js';
import { type Context, canonical, header, imprint } from './context.ts';

/** Elements that PlanDefinition does not have. */
const extensions = {
  supersedes: {
    type: 'canonical',
    many: true,
    says: 'A rule whose card is not given if this one is given.',
  },
  'supersedes-same-drugs': {
    type: 'canonical',
    many: true,
    says: 'A rule whose card is not given if this one is given about all of its medicines.',
  },
  'supersedes-same-orders': {
    type: 'canonical',
    many: true,
    says: 'A rule whose card is not given if this one is given about all of its orders or, if it is about no order, about all of its medicines.',
  },
  unclear: {
    type: 'string',
    many: true,
    says: 'A fact about what may be so: if it holds and the rule does not, a card that says what is not known may name it.',
  },
  family: {
    type: 'string',
    many: false,
    says: 'Rules of one family share one card, led by the first that fires.',
  },
  rides: {
    type: 'boolean',
    many: false,
    says: "True where the rule only adds to its family's card and never gives one alone.",
  },
  'override-reason': {
    type: 'Coding',
    many: true,
    says: 'A reason that the card offers for overriding it (CDS Hooks: overrideReasons).',
  },
} as const;

type Name = keyof typeof extensions;

export function extensionUrl(context: Context, name: Name): string {
  return canonical(context, 'StructureDefinition', name);
}

/** The definitions of our extensions, for the validator of a repository. */
export function extensionDefinitions(context: Context): StructureDefinition[] {
  return (Object.keys(extensions) as Name[]).map((name): StructureDefinition => {
    const { type, many, says } = extensions[name];
    const start = header(context, 'StructureDefinition', name);
    return {
      ...start,
      language: 'en',
      status: 'active',
      ...imprint(context),
      description: says,
      fhirVersion: '4.0.1',
      kind: 'complex-type',
      abstract: false,
      context: [
        { type: 'element', expression: name === 'override-reason' ? 'PlanDefinition.action' : 'PlanDefinition' },
      ],
      type: 'Extension',
      baseDefinition: 'http://hl7.org/fhir/StructureDefinition/Extension',
      derivation: 'constraint',
      differential: {
        element: [
          { id: 'Extension', path: 'Extension', short: says, definition: says, min: 0, max: many ? '*' : '1' },
          { id: 'Extension.extension', path: 'Extension.extension', max: '0' },
          { id: 'Extension.url', path: 'Extension.url', fixedUri: start.url },
          { id: 'Extension.value[x]', path: 'Extension.value[x]', min: 1, type: [{ code: type }] },
        ],
      },
    };
  });
}
