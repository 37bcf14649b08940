import type { Attachment, CodeableConcept, DataRequirement, Library, RelatedArtifact } from 'fhir/r4.js';
import { partOf, type Section } from '../fhir/prefetch.ts';
import type { Expression } from '../rules/expression.ts';
import { classVariables, sectionOfVariable } from '../rules/facts.ts';
import type { Guideline } from '../rules/knowledge.ts';
import { type Context, canonical, header, imprint } from './context.ts';
import { functionsIn } from './functions.ts';
import { valueSetsOf } from './lists.ts';
import { FHIRPATH, literal } from './logic.ts';
import { inEnglish } from './words.ts';

/** Keys of the Library of classes that depend on the patient, and of the Library of treatments. */
const CLASSES = 'classes';
const TREATMENTS = 'treatments';

const LOGIC = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/library-type', code: 'logic-library' }],
};

/** A Library for each guideline with its facts and parameters, one for the classes of medicines, one for treatments. */
export function libraries(context: Context): Library[] {
  return [
    classesLibrary(context),
    treatmentsLibrary(context),
    ...context.knowledge.guidelines.map((guideline) => guidelineLibrary(context, guideline)),
  ];
}

function guidelineLibrary(context: Context, { file, parameters, facts }: Guideline): Library {
  const { language } = context;
  const expressions = [...facts.values()].map(({ expression }) => expression);
  return {
    ...header(context, 'Library', file.id),
    version: file.version,
    ...inEnglish('title', `Facts of: ${file.title}`, language),
    status: file.status,
    type: LOGIC,
    ...imprint(context),
    ...inEnglish('description', howToRead(expressions, 'A parameter is a fact that is a number.'), language),
    ...(file.countries && { jurisdiction: jurisdictionOf(file.countries) }),
    ...dependsOn(context, expressions),
    ...inputs(expressions),
    dataRequirement: sectionsOf([...facts.values()].flatMap((fact) => [...fact.sections])),
    content: [
      ...Object.entries(parameters).map(([name, value]) =>
        content(name, literal(value), file.parameters[name]?.source && `Source: ${file.parameters[name].source}`),
      ),
      ...expressions.map((expression, at) => content([...facts.keys()][at] as string, expression.text)),
    ],
  };
}

function classesLibrary(context: Context): Library {
  const { facts, classes } = context.knowledge.classes;
  const expressions = [...facts.values(), ...classes.values()];
  return {
    ...header(context, 'Library', CLASSES),
    ...inEnglish('title', 'What a medicine is in this patient', context.language),
    status: 'active',
    type: LOGIC,
    ...imprint(context),
    ...inEnglish(
      'description',
      howToRead(
        expressions,
        "First the facts of the record, then the classes in their order. Each is an expression over one or more medicines that returns those of the class. Use a class like a code list: memberOf('…').",
      ),
      context.language,
    ),
    ...dependsOn(context, expressions),
    ...inputs(expressions),
    content: [...facts, ...classes].map(([name, { text }]) => content(name, text)),
  };
}

/** hooks/treatments.yaml: the service makes the %treatments of facts with these numbers. */
function treatmentsLibrary(context: Context): Library {
  const { parameters, continues, besides } = context.knowledge.treatments;
  const names = [continues.class, continues.conditions, continues.procedures, ...besides.except];
  const related = relatedTo(context, names);
  return {
    ...header(context, 'Library', TREATMENTS),
    ...inEnglish('title', 'How entries of the record become treatments', context.language),
    status: 'active',
    type: LOGIC,
    ...imprint(context),
    ...inEnglish('description', treatmentsInWords(context), context.language),
    ...(related.length > 0 && { relatedArtifact: related }),
    content: Object.entries(parameters).map(([name, value]) => content(name, literal(value))),
  };
}

function treatmentsInWords({ knowledge }: Context): string {
  const { continues } = knowledge.treatments;
  return [
    'Orders, statements, dispenses and administrations of one substance and one purpose are one treatment, whose days count as taken, presumed or possible. The service itself does this, before any fact is evaluated; hooks/README.md says how. Each content is a number used for it, in the unit that its name says.',
    `A treatment of the class ${continues.class} is presumed to go on between two supplies. Without a named medicine it may be known from a problem of the list ${continues.conditions}, a procedure or care plan of the list ${continues.procedures}, or a text.`,
  ].join('\n\n');
}

const HOW_TO_READ =
  'Each content is one FHIRPath expression, named by its element id. It sees those above it as %name, and the chart variables given as parameters. memberOf takes the name of a list: the label of a ValueSet or of the Library of classes under relatedArtifact.';

/** How to read the expressions, and the meaning of functions that FHIRPath does not have. */
function howToRead(expressions: Expression[], more: string): string {
  const functions = functionsIn(expressions.map(({ text }) => text));
  const described = functions === '' ? [] : [`Functions besides those of FHIRPath:\n\n${functions}`];
  return [`${HOW_TO_READ} ${more}`, ...described].join('\n\n');
}

function content(id: string, text: string, title?: string): Attachment {
  return {
    id,
    contentType: FHIRPATH,
    data: Buffer.from(text.trim(), 'utf8').toString('base64'),
    ...(title !== undefined && { title }),
  };
}

/** The chart variables used in the expressions. */
function inputs(expressions: Expression[]): Pick<Library, 'parameter'> {
  const named = new Set(expressions.flatMap(({ variables }) => [...variables]));
  const parameter = [...Object.keys(sectionOfVariable), ...classVariables]
    .filter((name) => named.has(name))
    .map((name) => {
      const section = sectionOfVariable[name];
      const documentation = VARIABLE_SOURCES[name] ?? (section ? `read from ${partOf[section].type}` : 'from the call');
      return { name, use: 'in' as const, min: 0, max: '*', type: 'Any' as const, documentation };
    });
  return parameter.length > 0 ? { parameter } : {};
}

const MADE = 'made from orders, statements, dispenses and administrations as described in the Library of treatments';
/** Variables that are more than the resources of one type. */
const VARIABLE_SOURCES: Record<string, string> = {
  drafts: 'the unsigned orders of the call',
  ordered: 'the drafts that the call decides on',
  treatments: `what the patient takes or took, including the orders of the call; ${MADE}`,
  before: `the same, without the changes of the call; ${MADE}`,
  otherwise: 'treatments without a named medicine, known from a problem, a procedure, a care plan or a heading',
};

/** The lists and classes used in expressions, and the treatments. */
function dependsOn(context: Context, expressions: Expression[]): Pick<Library, 'relatedArtifact'> {
  const names = new Set(expressions.flatMap(({ lists }) => [...lists]));
  const variables = new Set(expressions.flatMap((expression) => [...expression.variables]));
  const relatedArtifact = relatedTo(context, [...names].sort());
  if (variables.has('treatments') || variables.has('before'))
    relatedArtifact.push({
      type: 'depends-on',
      label: TREATMENTS,
      resource: canonical(context, 'Library', TREATMENTS),
    });
  return relatedArtifact.length > 0 ? { relatedArtifact } : {};
}

function relatedTo(context: Context, names: string[]): RelatedArtifact[] {
  const { classes } = context.knowledge.classes;
  return names.flatMap((label): RelatedArtifact[] =>
    classes.has(label)
      ? [{ type: 'depends-on', label, resource: canonical(context, 'Library', CLASSES) }]
      : valueSetsOf(context, label).map((resource) => ({ type: 'depends-on', label, resource })),
  );
}

/** The data that a rule or a library of facts needs, by type. */
export function sectionsOf(sections: Section[]): DataRequirement[] {
  const types = [...new Set(sections.map((section) => partOf[section].type))].sort();
  return types.map((type) => ({ type: type as DataRequirement['type'] }));
}

/** Countries as FHIR's jurisdiction. */
export function jurisdictionOf(countries: readonly string[]): CodeableConcept[] {
  return countries.map((code) => ({ coding: [{ system: 'urn:iso:std:iso:3166', code }] }));
}
