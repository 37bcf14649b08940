import { type Action, isObject, type Json, objectOf, type Resource, type Service } from './wire.ts';

/** Our extension of requests: in a sandbox, the evaluation date and the wish for a trace. */
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
  const day = wishOf(request)['now'];
  return typeof day === 'string' ? day.slice(0, 10) : '';
}

function wishOf(request: Json): Json {
  return objectOf(objectOf(request['extension'])[EXTENSION]);
}

function withWish(request: Json, wish: Json): Json {
  return { ...request, extension: { ...objectOf(request['extension']), [EXTENSION]: wish } };
}

/** The request with the wish for a trace: without it the page could not say why. */
export function explained(request: Json): Json {
  return withWish(request, { ...wishOf(request), explain: true });
}

/** The request as of another day; none is the day on which it is sent. */
export function onDay(request: Json, day: string): Json {
  const { now: _, ...rest } = wishOf(request);
  return withWish(request, day === '' ? rest : { now: day, ...rest });
}

/** The same question asked once more: every call of a hook has an id of its own. */
export function anew(request: Json): Json {
  return { ...request, hookInstance: crypto.randomUUID() };
}

/** The draft orders of a call, whether a bundle has them or one stands alone. */
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
      // What is no longer drafted cannot be selected.
      ...(Array.isArray(selections) && {
        selections: selections.filter((item) => refs.some((ref) => sameRef(String(item), ref))),
      }),
    },
  };
}

function sameRef(selection: string, ref: string): boolean {
  return selection === ref || selection === ref.split('/')[1] || selection.endsWith(`/${ref}`);
}

/** The request with a draft put in, in the place of the one with the same id if there is one. */
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

/** The same patient at another hook. At order-select the given drafts are selected, else those that were, else all. */
export function atHook(request: Json, hook: string, selected?: string[]): Json {
  const { draftOrders, selections, ...rest } = contextOf(request);
  const drafts = draftOrders === undefined ? { resourceType: 'Bundle', type: 'collection', entry: [] } : draftOrders;
  const all = selected ?? (Array.isArray(selections) ? selections : draftsOf(request).map(refOf));
  const context = hook.startsWith('order-')
    ? { ...rest, ...(hook === 'order-select' && { selections: all }), draftOrders: drafts }
    : { ...rest, ...(draftOrders !== undefined && { draftOrders }) };
  return { ...request, hook, context };
}

/** What a record system does when a suggestion is accepted, and what that changed. */
export function accept(request: Json, actions: Action[]): { request: Json; changes: Change[] } {
  let changed = request;
  const changes = changesOf(request, actions);
  for (const change of changes)
    changed = change.after === undefined ? withoutDraft(changed, change.ref) : withDraft(changed, change.after);
  return { request: changed, changes };
}

/** What a suggestion would change: each order before and after. A new order gets an id here, as a record system gives it one. */
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

/** What somebody pasted or dropped as a call: a call as it is, or the resources of one patient, as a chart being opened. */
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

/** A patient's resources under the prefetch keys that ask for their types. */
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
      const medications = resources.filter(
        ({ resourceType }) => key === 'medications' && resourceType === 'Medication',
      );
      const entry = [
        ...own.map((resource) => ({ resource, search: { mode: 'match' } })),
        ...medications.map((resource) => ({ resource, search: { mode: 'include' } })),
      ];
      return [key, { resourceType: 'Bundle', type: 'searchset', entry }];
    }),
  );
}

/** A call about a patient, with what is known of the record. */
export function requestFor(hook: string, context: Json, prefetch: Json): Json {
  const bare = {
    hook,
    hookInstance: crypto.randomUUID(),
    context: { userId: 'Practitioner/workbench', ...context },
    prefetch,
  };
  return atHook(bare, hook);
}
