/** What the page reads from the service, in the format that any client gets. */
export type Json = { [key: string]: unknown };
export type Resource = Json & { resourceType: string };

export type Coding = { code: string; system: string; display?: string };
export type Action =
  | { type: 'update' | 'create'; description: string; resource: Resource }
  | { type: 'delete'; description: string; resourceId: string };
export type Suggestion = { label: string; uuid: string; isRecommended?: boolean; actions: Action[] };
export type Indicator = 'info' | 'warning' | 'critical';
export type Card = {
  uuid: string;
  summary: string;
  detail?: string;
  indicator: Indicator;
  source: { label: string; url?: string; topic: Coding };
  suggestions?: Suggestion[];
  overrideReasons?: Coding[];
  links?: { label: string; url: string; type: string }[];
};

type Shown = { ref: string; name?: string; substance?: string; lists: string[]; identifiedBy: string };
/** An order of the call, as it was read. */
export type Draft = Shown & {
  ordered: boolean;
  changed: boolean;
  taper: boolean;
  start?: string;
  stop?: string;
  stopFrom?: string;
};
export type Degree = 'taken' | 'presumed' | 'possible';
/** What the patient takes or took. Without a degree it is over. */
export type Treatment = Shown & {
  degree?: Degree;
  fresh: boolean;
  start?: string;
  stop?: string;
  lastSign?: string;
  onHold: boolean;
  otherwise: boolean;
  /** The newest first. */
  entries: Entry[];
  periods: { from: string; to?: string; degree: Degree }[];
};
/** An entry of the record behind a treatment. */
export type Entry = {
  ref: string;
  kind: string;
  degree?: Degree;
  start?: string;
  stop?: string;
  stopFrom?: string;
  replaced?: true;
};
export type FactTrace = {
  fact: string;
  role: 'when' | 'unless' | 'without' | 'otherwise';
  outcome: 'holds' | 'does-not-hold' | 'not-known';
  resources?: string[];
  courses?: { start: string; end: string }[];
  missing?: string[];
};
export type RuleTrace = {
  rule: string;
  guideline: string;
  recommendation: string;
  outcome:
    | 'fires'
    | 'joins'
    | 'does-not-hold'
    | 'not-known'
    | 'switched-off'
    | 'superseded'
    | 'rides-only'
    | 'quiet'
    | 'repeat'
    | 'silent';
  off?: string;
  by?: string;
  silent?: true;
  missing?: string[];
  facts: FactTrace[];
};
export type Trace = {
  today: string;
  sections: Record<string, string>;
  leftOut?: { what: string; why: string; ref: string }[];
  drafts?: Draft[];
  treatments?: Treatment[];
  unread?: { ref: string; name?: string }[];
  rules: RuleTrace[];
};

export type Service = { hook: string; id: string; title: string; prefetch: Record<string, string> };
export type Patient = {
  name: string;
  folder: string;
  about: string;
  hook: string;
  note: string;
  cards?: { rule: string; indicator: Indicator }[];
  missing?: string[];
  site?: string[];
};
export type Example = { title: string; patient: string };
export type RuleInWords = {
  guideline: string;
  recommendation: string;
  section: string;
  says: string;
  source: string;
  facts: Record<string, string>;
};
export type Medicine = { name: string; system: string; code: string; lists: string[] };

/** What a site may set, and what other settings would change (the workbench's own routes). */
export type Settings = {
  country: string | null;
  off: string[];
  on: string[];
  trial: string[];
  parameters: Record<string, Record<string, number | number[]>>;
};
export type Parameter = { name: string; delivered: number | number[]; min: number; max: number; source?: string };
export type Choices = {
  settings: Settings;
  guidelines: {
    id: string;
    title: string;
    parameters: Parameter[];
    rules: { id: string; says: string; offByDefault: boolean; countries: string[] }[];
  }[];
};
export type RuleDifference = {
  rule: string;
  before: number;
  after: number;
  appears: string[];
  vanishes: string[];
  changes: string[];
};
export type Tried = { problems: string[] } | { patients: number; differences: RuleDifference[]; site: string };

export const languages = ['sv', 'nb', 'da', 'en'] as const;
export type Language = (typeof languages)[number];

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectOf(value: unknown): Json {
  return isObject(value) ? value : {};
}
