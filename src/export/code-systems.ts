import type { CodeSystem, CodeSystemConcept, Coding, ValueSet } from 'fhir/r4.js';
import { brand } from '../brand.ts';
import { object, objects, string } from '../fhir/json.ts';
import { languages, type Texts } from '../language.ts';
import { guidelineOf } from '../rules/knowledge.ts';
import { type Context, header, imprint } from './context.ts';
import { inEnglish } from './words.ts';

/** Our own code systems: rules, override reasons, orders. Their addresses are the same as on the wire. */
export function codeSystems(context: Context): CodeSystem[] {
  return [
    codeSystem(context, 'rule', 'Rules', brand.topicSystem, rules(context)),
    codeSystem(context, 'override-reason', 'Override reasons', brand.reasonSystem, reasons(context)),
    codeSystem(context, 'order', 'Orders that a card may offer', brand.orderSystem, orders(context)),
  ];
}

function codeSystem(
  context: Context,
  key: string,
  title: string,
  url: string,
  concept: CodeSystemConcept[],
): CodeSystem {
  return {
    ...header(context, 'CodeSystem', key),
    url,
    ...inEnglish('title', title, context.language),
    status: 'active',
    ...imprint(context),
    caseSensitive: true,
    content: 'complete',
    count: concept.length,
    concept,
  };
}

/** A concept in the resource's language, with designations in the others. */
function worded({ language }: Context, code: string, texts: Texts): CodeSystemConcept {
  return {
    code,
    display: texts[language],
    designation: languages
      .filter((other) => other !== language)
      .map((other) => ({ language: other, value: texts[other] })),
  };
}

function rules({ knowledge }: Context): CodeSystemConcept[] {
  return knowledge.rules.map((rule) => {
    const { title, recommendations } = guidelineOf(knowledge, rule).file;
    return { code: rule.id, display: title, definition: recommendations[rule.recommendation]?.says as string };
  });
}

function reasons(context: Context): CodeSystemConcept[] {
  return Object.values(context.knowledge.cards.shared.overrideReasons)
    .filter(({ system }) => system === brand.reasonSystem)
    .map(({ code, display }) => worded(context, code, display));
}

function orders(context: Context): CodeSystemConcept[] {
  const { templates, cards } = context.knowledge;
  return Object.entries(templates).flatMap(([key, template]) => {
    const own = objects(object(template['code'])['coding']).filter(({ system }) => system === brand.orderSystem);
    return own.map(({ code }) => worded(context, string(code) ?? key, cards.shared.orders[key] as Texts));
  });
}

/** All override reasons of cards, HL7's and our own, as a ValueSet. */
export function reasonValueSet(context: Context): ValueSet {
  const { overrideReasons } = context.knowledge.cards.shared;
  const bySystem = Map.groupBy(Object.values(overrideReasons), ({ system }) => system);
  return {
    ...header(context, 'ValueSet', 'override-reasons'),
    ...inEnglish('title', 'Override reasons', context.language),
    status: 'active',
    ...imprint(context),
    compose: {
      include: [...bySystem].map(([system, list]) => ({
        system,
        concept: list.map(({ code, display }) => worded(context, code, display)),
      })),
    },
  };
}

/** An override reason as a card offers it. */
export function reasonCoding({ knowledge, language }: Context, key: string): Coding | undefined {
  const reason = knowledge.cards.shared.overrideReasons[key];
  return reason && { system: reason.system, code: reason.code, display: reason.display[language] };
}
