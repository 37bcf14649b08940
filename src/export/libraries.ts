import type { Attachment, CodeableConcept, DataRequirement, Library, RelatedArtifact } from 'fhir/r4.js';
import { type Section, sectionTypes } from '../fhir/prefetch.ts';
import type { Expression } from '../rules/expression.ts';
import { sectionOfVariable } from '../rules/facts.ts';
import type { Guideline } from '../rules/knowledge.ts';
import { type Context, canonical, header, imprint } from './context.ts';
import { valueSetsOf } from './lists.ts';
import { FHIRPATH, literal } from './logic.ts';
import { inEnglish } from './words.ts';

/** The key of the Library of the classes that depend on the patient. */
const CLASSES = 'classes';

const LOGIC = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/library-type', code: 'logic-library' }],
};

/** A Library for each guideline, with its facts and parameters, and one for the classes of medicines. */
export function libraries(context: Context): Library[] {
  return [
    classesLibrary(context),
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
    ...inEnglish('description', `${HOW_TO_READ} A parameter is a fact that is a number.`, language),
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
  const { classes, classFacts } = context.knowledge;
  const expressions = [...classFacts.values(), ...classes.values()];
  return {
    ...header(context, 'Library', CLASSES),
    ...inEnglish('title', 'What a medicine is in this patient', context.language),
    status: 'active',
    type: LOGIC,
    ...imprint(context),
    ...inEnglish(
      'description',
      `${HOW_TO_READ} First the facts of the record; then the classes, each an expression over all medicines that gives those of the class. A class is asked for like a code list: memberOf('…').`,
      context.language,
    ),
    ...dependsOn(context, expressions),
    ...inputs(expressions),
    content: [...classFacts, ...classes].map(([name, { text }]) => content(name, text)),
  };
}

const HOW_TO_READ =
  'Each content is one FHIRPath expression, called by its element id; it sees those above it as %name, and the variables of the chart that are given as parameters. memberOf takes the name of a list: the ValueSets and the Library of classes that are listed under relatedArtifact, by label. Functions beside those of FHIRPath are described in hooks/README.md.';

function content(id: string, text: string, title?: string): Attachment {
  return {
    id,
    contentType: FHIRPATH,
    data: Buffer.from(text.trim(), 'utf8').toString('base64'),
    ...(title !== undefined && { title }),
  };
}

/** The variables of the chart that the expressions name. */
function inputs(expressions: Expression[]): Pick<Library, 'parameter'> {
  const named = new Set(expressions.flatMap(({ variables }) => [...variables]));
  const parameter = Object.keys(sectionOfVariable)
    .filter((name) => named.has(name))
    .map((name) => {
      const section = sectionOfVariable[name];
      const documentation = section ? `read from ${sectionTypes[section]}` : 'from the call';
      return { name, use: 'in' as const, min: 0, max: '*', type: 'Any' as const, documentation };
    });
  return parameter.length > 0 ? { parameter } : {};
}

/** The lists and classes that expressions ask for. */
function dependsOn(context: Context, expressions: Expression[]): Pick<Library, 'relatedArtifact'> {
  const { classes } = context.knowledge;
  const names = [...new Set(expressions.flatMap(({ lists }) => [...lists]))].sort();
  const relatedArtifact = names.flatMap((label): RelatedArtifact[] =>
    classes.has(label)
      ? [{ type: 'depends-on', label, resource: canonical(context, 'Library', CLASSES) }]
      : valueSetsOf(context, label).map((resource) => ({ type: 'depends-on', label, resource })),
  );
  return relatedArtifact.length > 0 ? { relatedArtifact } : {};
}

/** The data that a rule or a library of facts rests on, by type. */
export function sectionsOf(sections: Section[]): DataRequirement[] {
  const types = [...new Set(sections.map((section) => sectionTypes[section]))].sort();
  return types.map((type) => ({ type: type as DataRequirement['type'] }));
}

/** Countries as FHIR's jurisdiction. */
export function jurisdictionOf(countries: readonly string[]): CodeableConcept[] {
  return countries.map((code) => ({ coding: [{ system: 'urn:iso:std:iso:3166', code }] }));
}
