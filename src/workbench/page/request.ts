import { type Action, isObject, type Json, objectOf, type Resource, type Service } from './wire.ts';

/** Our extension of requests: in a sandbox, it sets the evaluation date and asks for a trace. */
export const EXTENSION = 'org.nordic-opioid-cds';

/** What an accepted suggestion does to one order. */
export type Change = { type: Action['type']; ref: string; before?: Resource; after?: Resource };

type Entry = Json & { resource: Resource };

export function refOf(resource: Json): string {
  return `${resource['resourceType']}/${resource['id'] ?? ''}`;
}

export function hookOf(request: Json): string {
  return String(request['hook'] ?? '');
}

function contextOf(request: Json): Json {
  return objectOf(request['context']);
}

export function patientIdOf(request: Json): string {
  return String(contextOf(request)['patientId'] ?? '').replace(/^Patient\//, '');
}

export function dayOf(request: Json): string {
  const day = optionsOf(request)['now'];
  return typeof day === 'string' ? day.slice(0, 10) : '';
}

function optionsOf(request: Json): Json {
  return objectOf(objectOf(request['extension'])[EXTENSION]);
}

function withOptions(request: Json, options: Json): Json {
  return { ...request, extension: { ...objectOf(request['extension']), [EXTENSION]: options } };
}

/** The request with `explain` set: without a trace the page cannot say why. */
export function explained(request: Json): Json {
  return withOptions(request, { ...optionsOf(request), explain: true });
}

/** The request for another day; without a day, the day on which it is sent. */
export function onDay(request: Json, day: string): Json {
  const { now: _, ...rest } = optionsOf(request);
  return withOptions(request, day === '' ? rest : { now: day, ...rest });
}

/** The same request again, with a new hookInstance as for every call. */
export function withNewInstance(request: Json): Json {
  return { ...request, hookInstance: crypto.randomUUID() };
}

/** The draft orders of a call, in a bundle or as a single order. */
export function draftsOf(request: Json): Resource[] {
  return entriesOf(request).map(({ resource }) => resource);
}

function entriesOf(request: Json): Entry[] {
  const drafts = objectOf(contextOf(request)['draftOrders']);
  if (Array.isArray(drafts['entry']))
    return drafts['entry'].filter((entry): entry is Entry => isObject(entry) && isObject(entry['resource']));
  return typeof drafts['resourceType'] === 'string' && drafts['resourceType'] !== 'Bundle'
    ? [{ resource: drafts as Resource }]
    : [];
}

function withEntries(request: Json, entry: Entry[]): Json {
  const drafts = objectOf(contextOf(request)['draftOrders']);
  const bundle = drafts['resourceType'] === 'Bundle' ? drafts : { resourceType: 'Bundle', type: 'collection' };
  const refs = entry.map(({ resource }) => refOf(resource));
  const { selections } = contextOf(request);
  return {
    ...request,
    context: {
      ...contextOf(request),
      draftOrders: { ...bundle, entry },
      // A draft that is gone cannot be selected.
      ...(Array.isArray(selections) && {
        selections: selections.filter((item) => refs.some((ref) => sameRef(String(item), ref))),
      }),
    },
  };
}

function sameRef(selection: string, ref: string): boolean {
  return selection === ref || selection === ref.split('/')[1] || selection.endsWith(`/${ref}`);
}

/** The request with a draft added, replacing the one with the same id. */
export function withDraft(request: Json, draft: Resource): Json {
  const entries = entriesOf(request);
  const at = entries.findIndex(({ resource }) => refOf(resource) === refOf(draft));
  return withEntries(request, at < 0 ? [...entries, { resource: draft }] : entries.with(at, { resource: draft }));
}

export function withoutDraft(request: Json, ref: string): Json {
  return withEntries(
    request,
    entriesOf(request).filter(({ resource }) => refOf(resource) !== ref),
  );
}

/**
 * The same patient at another hook. At order-select the given drafts are selected, otherwise the previous selection,
 * otherwise all.
 */
export function atHook(request: Json, hook: string, selected?: string[]): Json {
  const { draftOrders, selections, ...rest } = contextOf(request);
  const drafts = draftOrders === undefined ? { resourceType: 'Bundle', type: 'collection', entry: [] } : draftOrders;
  const all = selected ?? (Array.isArray(selections) ? selections : draftsOf(request).map(refOf));
  const context = hook.startsWith('order-')
    ? { ...rest, ...(hook === 'order-select' && { selections: all }), draftOrders: drafts }
    : { ...rest, ...(draftOrders !== undefined && { draftOrders }) };
  return { ...request, hook, context };
}

/** Accepts a suggestion as a record system would; returns the changes too. */
export function accept(request: Json, actions: Action[]): { request: Json; changes: Change[] } {
  let changed = request;
  const changes = changesOf(request, actions);
  for (const change of changes)
    changed = change.after === undefined ? withoutDraft(changed, change.ref) : withDraft(changed, change.after);
  return { request: changed, changes };
}

/** What a suggestion would change: each order before and after. A new order gets an id here, as in a record system. */
export function changesOf(request: Json, actions: Action[]): Change[] {
  const drafts = draftsOf(request);
  const find = (ref: string) => drafts.find((draft) => sameRef(ref, refOf(draft)) || refOf(draft) === ref);
  let count = drafts.length;
  return actions.map((action) => {
    if (action.type === 'delete') {
      const before = find(action.resourceId);
      return { type: 'delete', ref: before ? refOf(before) : action.resourceId, ...(before && { before }) };
    }
    if (action.type === 'create') {
      count += 1;
      const after = { ...action.resource, id: action.resource['id'] ?? `new-${count}` };
      return { type: 'create', ref: refOf(after), after };
    }
    const before = find(refOf(action.resource));
    return { type: 'update', ref: refOf(action.resource), ...(before && { before }), after: action.resource };
  });
}

/** Reads pasted or dropped text: a call as it is, or a Bundle of one patient as a chart being opened. */
export function readPasted(text: string, services: Service[]): Json {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new Error('This is JSON, but not a CDS Hooks request: it must begin with {.');
  if (value['resourceType'] === 'Bundle') return fromBundle(value, services);
  if (typeof value['resourceType'] === 'string')
    throw new Error(`This is a ${value['resourceType']}, not a CDS Hooks request. Paste a whole request, or a Bundle.`);
  if (typeof value['hook'] !== 'string')
    throw new Error('This is not a CDS Hooks request: it has no "hook". See docs/integrator.md for the envelope.');
  return value;
}

/** A patient's resources, sorted under the prefetch keys of their types. */
function fromBundle(bundle: Json, services: Service[]): Json {
  const entries = Array.isArray(bundle['entry']) ? bundle['entry'] : [];
  const resources = entries.map((entry) => objectOf(objectOf(entry)['resource']));
  const patient = resources.find((resource) => resource['resourceType'] === 'Patient');
  if (!patient)
    throw new Error('This Bundle has no Patient, so it does not say whom it is about. Paste a whole request instead.');
  return requestFor('patient-view', { patientId: String(patient['id']) }, keyed(resources, services));
}

function keyed(resources: Json[], services: Service[]): Json {
  const templates = Object.assign({}, ...services.map(({ prefetch }) => prefetch)) as Record<string, string>;
  return Object.fromEntries(
    Object.entries(templates).map(([key, template]) => {
      const type = /^[A-Za-z]+/.exec(template)?.[0];
      const own = resources.filter((resource) => resource['resourceType'] === type);
      if (!template.includes('?')) return [key, own[0] ?? null];
      const medications = key === 'medications' ? resources.filter((one) => one['resourceType'] === 'Medication') : [];
      const entry = [
        ...own.map((resource) => ({ resource, search: { mode: 'match' } })),
        ...medications.map((resource) => ({ resource, search: { mode: 'include' } })),
      ];
      return [key, { resourceType: 'Bundle', type: 'searchset', entry }];
    }),
  );
}

/** A call about a patient, with the record as prefetch. */
export function requestFor(hook: string, context: Json, prefetch: Json): Json {
  const bare = {
    hook,
    hookInstance: crypto.randomUUID(),
    context: { userId: 'Practitioner/workbench', ...context },
    prefetch,
  };
  return atHook(bare, hook);
}
