/**
 * Checks a CDS Hooks response on the wire, whatever its content (conformance T3–T5, K1–K18, A1–A16, L1, V5). For tests.
 * Written from the specification and not from our types, so that it finds mistakes in these.
 */

type Json = Record<string, unknown>;
type Report = (path: string, message: string) => void;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SUMMARY_MARKDOWN = /[*_`~<>]|\[[^\]]*\]|^\s*(#|-|\d+\.)\s/;
const DETAIL_MARKUP = /<[A-Za-z!/?]|(?<!\\)!?\[[^\]]*\]\s*[[(]|(?<!\\)`/;

/** Every way in which a response body breaks the specification; none if it is valid. `call` is the request that it answers. */
export function wireProblems(body: string, call: Json): string[] {
  const problems: string[] = [];
  const report: Report = (path, message) => problems.push(`${path}: ${message}`);
  let response: unknown;
  try {
    response = JSON.parse(body);
  } catch {
    return ['body: no JSON'];
  }
  if (!isObject(response)) return ['body: no object'];
  onlyKeys(response, ['cards', 'extension'], 'body', report);
  noEmpties(response, 'body', report);
  if ('extension' in response) {
    if (!isObject(response['extension'])) report('extension', 'no object');
    else
      for (const key of Object.keys(response['extension']))
        if (!/^[a-z]+(\.[a-z-]+)+$/.test(key)) report('extension', `${key} is not a reverse-domain name`);
  }
  if (!Array.isArray(response['cards'])) return [...problems, 'cards: no list'];
  const drafts = refsIn(isObject(call['context']) ? call['context']['draftOrders'] : undefined);
  const uuids: unknown[] = [];
  for (const [at, card] of response['cards'].entries()) {
    const path = `cards.${at}`;
    if (!isObject(card)) report(path, 'no object');
    else checkCard(card, path, { report, uuids, drafts, changes: call['hook'] !== 'patient-view' });
  }
  if (new Set(uuids).size !== uuids.length) report('cards', 'a uuid is used twice');
  return problems;
}

type Context = { report: Report; uuids: unknown[]; drafts: Set<string>; changes: boolean };

function checkCard(card: Json, path: string, context: Context) {
  const { report } = context;
  const keys = ['uuid', 'summary', 'detail', 'indicator', 'source', 'suggestions', 'selectionBehavior'];
  onlyKeys(card, [...keys, 'overrideReasons', 'links'], path, report);
  checkUuid(card['uuid'], path, context);
  checkSummary(card['summary'], `${path}.summary`, report);
  if ('detail' in card) {
    if (!isText(card['detail'])) report(`${path}.detail`, 'no text');
    else if (DETAIL_MARKUP.test(card['detail'])) report(`${path}.detail`, 'HTML, a link, an image or code');
  }
  if (!['info', 'warning', 'critical'].includes(String(card['indicator'])))
    report(`${path}.indicator`, 'none of three');
  checkSource(card['source'], `${path}.source`, report);
  const { suggestions } = card;
  if ('selectionBehavior' in card !== 'suggestions' in card) report(path, 'suggestions require selectionBehavior');
  if ('suggestions' in card) {
    if (!['any', 'at-most-one'].includes(String(card['selectionBehavior'])))
      report(`${path}.selectionBehavior`, 'unknown');
    if (!Array.isArray(suggestions) || suggestions.length === 0) report(`${path}.suggestions`, 'no list with items');
    else {
      for (const [at, item] of suggestions.entries()) checkSuggestion(item, `${path}.suggestions.${at}`, context);
      const recommended = suggestions.filter((item) => isObject(item) && item['isRecommended'] === true);
      if (card['selectionBehavior'] === 'at-most-one' && recommended.length > 1)
        report(path, 'several are recommended');
    }
  }
  if ('overrideReasons' in card) checkReasons(card['overrideReasons'], `${path}.overrideReasons`, report);
  if ('links' in card) checkLinks(card, `${path}.links`, report);
}

/** A single link to the page about the rule, without a patient and without a SMART launch. */
function checkLinks({ links, source }: Json, path: string, report: Report) {
  if (!Array.isArray(links) || links.length !== 1 || !isObject(links[0])) return report(path, 'no list with one link');
  const [link] = links;
  onlyKeys(link, ['label', 'url', 'type'], path, report);
  if (!isText(link['label'])) report(`${path}.label`, 'no text');
  if (link['type'] !== 'absolute') report(`${path}.type`, 'not absolute');
  const rule = isObject(source) && isObject(source['topic']) ? source['topic']['code'] : undefined;
  const address = /^https:\/\/[^/]+\/advice\/([a-z0-9-]+)\?lang=(sv|nb|da|en)$/.exec(String(link['url']));
  if (address?.[1] !== rule) report(`${path}.url`, 'not the page of the rule');
}

function checkSummary(summary: unknown, path: string, report: Report) {
  if (!isText(summary)) return report(path, 'no text');
  if (Math.max(summary.length, [...summary].length) > 139) report(path, 'over 139 characters');
  if (/[\n\r]/.test(summary)) report(path, 'more than one line');
  if (SUMMARY_MARKDOWN.test(summary)) report(path, 'Markdown or HTML');
}

function checkSource(source: unknown, path: string, report: Report) {
  if (!isObject(source)) return report(path, 'no object');
  onlyKeys(source, ['label', 'url', 'icon', 'topic'], path, report);
  if (!isText(source['label'])) report(`${path}.label`, 'no text');
  for (const key of ['url', 'icon']) {
    if (key in source && !/^https:\/\/[^/\s]+/.test(String(source[key]))) report(`${path}.${key}`, 'no https address');
  }
  checkCoding(source['topic'], `${path}.topic`, report);
  if (isObject(source['topic']) && !/^[A-Za-z0-9-]{1,100}$/.test(String(source['topic']['code'])))
    report(`${path}.topic.code`, 'not of letters, digits and hyphens, at most 100');
}

function checkReasons(reasons: unknown, path: string, report: Report) {
  if (!Array.isArray(reasons) || reasons.length === 0) return report(path, 'no list with items');
  for (const [at, reason] of reasons.entries()) {
    checkCoding(reason, `${path}.${at}`, report);
    if (isObject(reason) && !isText(reason['display'])) report(`${path}.${at}.display`, 'no text');
  }
  const codes = reasons.map((reason) => (isObject(reason) ? `${reason['system']}|${reason['code']}` : ''));
  if (new Set(codes).size !== codes.length) report(path, 'a code is given twice');
}

function checkCoding(coding: unknown, path: string, report: Report) {
  if (!isObject(coding)) return report(path, 'no Coding');
  onlyKeys(coding, ['code', 'system', 'display'], path, report);
  if (!isText(coding['code'])) report(`${path}.code`, 'no text');
  if (!/^[a-z][a-z0-9+.-]*:\S+$/i.test(String(coding['system']))) report(`${path}.system`, 'no absolute URI');
}

function checkSuggestion(suggestion: unknown, path: string, context: Context) {
  const { report } = context;
  if (!isObject(suggestion)) return report(path, 'no object');
  onlyKeys(suggestion, ['label', 'uuid', 'isRecommended', 'actions'], path, report);
  if (!isText(suggestion['label'])) report(`${path}.label`, 'no text');
  checkUuid(suggestion['uuid'], path, context);
  if ('isRecommended' in suggestion && typeof suggestion['isRecommended'] !== 'boolean')
    report(`${path}.isRecommended`, 'no boolean');
  const { actions } = suggestion;
  if (!Array.isArray(actions) || actions.length === 0) return report(`${path}.actions`, 'no list with items');
  for (const [at, action] of actions.entries()) checkAction(action, `${path}.actions.${at}`, context);
}

function checkAction(action: unknown, path: string, { report, drafts, changes }: Context) {
  if (!isObject(action)) return report(path, 'no object');
  const { type, resource, resourceId } = action;
  if (type !== 'create' && type !== 'update' && type !== 'delete') return report(`${path}.type`, 'none of three');
  onlyKeys(action, ['type', 'description', type === 'delete' ? 'resourceId' : 'resource'], path, report);
  if (!isText(action['description'])) report(`${path}.description`, 'no text');
  if (type !== 'create' && !changes) report(path, 'changes an order with the chart open');
  if (type === 'delete') {
    if (typeof resourceId !== 'string' || !/^[A-Z][A-Za-z]+\/./s.test(resourceId))
      report(`${path}.resourceId`, 'no Type/id');
    else if (!drafts.has(resourceId)) report(`${path}.resourceId`, 'no draft of the call');
    return;
  }
  if (!isObject(resource) || !isText(resource['resourceType'])) return report(`${path}.resource`, 'no resource');
  if (type === 'update' && !drafts.has(`${resource['resourceType']}/${resource['id']}`))
    report(`${path}.resource`, 'no draft of the call');
}

function checkUuid(uuid: unknown, path: string, { report, uuids }: Context) {
  if (typeof uuid !== 'string' || !UUID.test(uuid)) report(`${path}.uuid`, 'no UUID');
  uuids.push(uuid);
}

function onlyKeys(value: Json, keys: string[], path: string, report: Report): void {
  for (const key of Object.keys(value)) if (!keys.includes(key)) report(`${path}.${key}`, 'no field of ours');
}

/** Nothing is null or empty except the list of cards. FHIR resources are the client's own. */
function noEmpties(value: unknown, path: string, report: Report) {
  if (value === null || value === '') return report(path, 'null or empty');
  if (typeof value !== 'object') return;
  const items = Object.entries(value);
  if (items.length === 0 && path !== 'body.cards') report(path, 'empty');
  for (const [key, item] of items) if (key !== 'resource') noEmpties(item, `${path}.${key}`, report);
}

/** `Type/id` of every resource at any depth. */
function refsIn(value: unknown): Set<string> {
  const refs = new Set<string>();
  const rest = [value];
  while (rest.length > 0) {
    const item = rest.pop();
    if (typeof item !== 'object' || item === null) continue;
    if (isObject(item) && isText(item['resourceType']) && isText(item['id']))
      refs.add(`${item['resourceType']}/${item['id']}`);
    for (const child of Object.values(item)) rest.push(child);
  }
  return refs;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}
