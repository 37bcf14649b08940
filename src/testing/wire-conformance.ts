import { z } from 'zod';
import { isObject, object, objects, parseJson, string } from '../fhir/json.ts';

/**
 * Checks a CDS Hooks response on the wire, whatever its content (conformance T3–T5, K1–K18, A1–A16, L1, V5). For tests.
 * Written from the specification and not from our types, so that it finds mistakes in these.
 */

const SUMMARY_MARKDOWN = /[*_`~<>]|\[[^\]]*\]|^\s*(#|-|\d+\.)\s/;
const DETAIL_MARKUP = /<[A-Za-z!/?]|(?<!\\)!?\[[^\]]*\]\s*[[(]|(?<!\\)`/;

const text = z.string().regex(/\S/, 'no text');
const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'no UUID');
const https = z.string().regex(/^https:\/\/[^/\s]+/, 'no https address');
const uri = z.string().regex(/^[a-z][a-z0-9+.-]*:\S+$/i, 'no absolute URI');

const summary = text
  .regex(/^[^\n\r]*$/, 'more than one line')
  .refine(({ length }) => length <= 139, 'over 139 characters')
  .refine((words) => !SUMMARY_MARKDOWN.test(words), 'Markdown or HTML');
const detail = text.refine((words) => !DETAIL_MARKUP.test(words), 'HTML, a link, an image or code');

const coding = z.strictObject({ code: text, system: uri, display: text.optional() });
const topic = coding.extend({
  code: z.string().regex(/^[A-Za-z0-9-]{1,100}$/, 'not of letters, digits and hyphens, at most 100'),
});
const reasons = z
  .array(coding.extend({ display: text }))
  .min(1)
  .refine((list) => new Set(list.map(({ system, code }) => `${system}|${code}`)).size === list.length, 'a code twice');

const fhirResource = z.looseObject({ resourceType: text });
const resourceId = z.string().regex(/^[A-Z][A-Za-z]+\/./s, 'no Type/id');
const action = z.discriminatedUnion('type', [
  z.strictObject({ type: z.enum(['create', 'update']), description: text, resource: fhirResource }),
  z.strictObject({ type: z.literal('delete'), description: text, resourceId }),
]);
const suggestion = z.strictObject({
  label: text,
  uuid,
  isRecommended: z.boolean().optional(),
  actions: z.array(action).min(1),
});

/** A single link to the page about the rule, without a patient and without a SMART launch. */
const ADVICE = /^https:\/\/[^/]+\/advice\/([a-z0-9-]+)\?lang=(sv|nb|da|en)$/;
const links = z.tuple([z.strictObject({ label: text, url: z.string(), type: z.literal('absolute') })]);

const card = z
  .strictObject({
    uuid,
    summary,
    detail: detail.optional(),
    indicator: z.enum(['info', 'warning', 'critical']),
    source: z.strictObject({ label: text, url: https.optional(), icon: https.optional(), topic }),
    suggestions: z.array(suggestion).min(1).optional(),
    selectionBehavior: z.enum(['any', 'at-most-one']).optional(),
    overrideReasons: reasons.optional(),
    links: links.optional(),
  })
  .refine(
    ({ selectionBehavior, suggestions }) => (selectionBehavior === undefined) === (suggestions === undefined),
    'suggestions require selectionBehavior',
  )
  .refine(
    ({ selectionBehavior, suggestions = [] }) =>
      selectionBehavior !== 'at-most-one' || suggestions.filter(({ isRecommended }) => isRecommended).length < 2,
    'several are recommended',
  )
  .refine(
    (one) => one.links === undefined || ADVICE.exec(one.links[0].url)?.[1] === one.source.topic.code,
    'a link that is not to the page of the rule',
  );

const extension = z.record(z.string().regex(/^[a-z]+(\.[a-z-]+)+$/, 'no reverse-domain name'), z.unknown());
const response = z.strictObject({ cards: z.array(card), extension: extension.optional() });

/** Every way in which a response body breaks the specification; none if it is valid. `call` is the request that it answers. */
export function wireProblems(body: string, call: Record<string, unknown>): string[] {
  const value = parseJson(body);
  const { error } = response.safeParse(value);
  const problems = [
    ...emptiesIn(value, 'body').map((path) => `${path}: null or empty`),
    ...(error?.issues ?? []).flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => `${[...issue.path, key].join('.')}: no field of ours`)
        : [`${issue.path.join('.')}: ${issue.message}`],
    ),
  ];
  // Of the response as it is: some clients get another shape, and these checks hold for them too.
  const cards = objects(object(value)['cards']);
  const suggestions = cards.flatMap((one) => objects(one['suggestions']));
  const uuids = [...cards, ...suggestions].map((one) => one['uuid']);
  if (new Set(uuids).size !== uuids.length) problems.push('cards: a uuid is used twice');
  const drafts = refsIn(object(call['context'])['draftOrders']);
  for (const { type, resource, resourceId } of suggestions.flatMap((one) => objects(one['actions']))) {
    if (type === 'create') continue;
    const { resourceType, id } = object(resource);
    // CDS Hooks 1.0 names the order to delete under `resource`.
    const ref = string(resourceId) ?? string(resource) ?? `${resourceType}/${id}`;
    if (call['hook'] === 'patient-view') problems.push(`${ref}: changed with the chart open`);
    if (!drafts.has(ref)) problems.push(`${ref}: no draft of the call`);
  }
  return problems;
}

/** Nothing is null or empty except the list of cards. FHIR resources are the client's own. */
function emptiesIn(value: unknown, path: string): string[] {
  if (value === null || value === '') return [path];
  if (typeof value !== 'object') return [];
  const items = Object.entries(value).filter(([key]) => key !== 'resource');
  if (Object.keys(value).length === 0 && path !== 'body.cards') return [path];
  return items.flatMap(([key, item]) => emptiesIn(item, `${path}.${key}`));
}

/** `Type/id` of every resource at any depth. */
function refsIn(value: unknown): Set<string> {
  const refs = new Set<string>();
  const rest = [value];
  while (rest.length > 0) {
    const item = rest.pop();
    if (typeof item !== 'object' || item === null) continue;
    if (isObject(item) && text.safeParse(item['resourceType']).success && text.safeParse(item['id']).success)
      refs.add(`${item['resourceType']}/${item['id']}`);
    for (const child of Object.values(item)) rest.push(child);
  }
  return refs;
}
