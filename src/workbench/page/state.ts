import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import * as edit from './request.ts';
import type { Answer } from './service.ts';
import * as service from './service.ts';
import {
  type Card,
  type Example,
  isObject,
  type Json,
  type Language,
  languages,
  type Patient,
  type Resource,
  type RuleInWords,
  type Service,
  type Suggestion,
} from './wire.ts';

/** Where the request comes from. */
export type Origin = { kind: 'patient'; patient: Patient } | { kind: 'own'; title: string };

/** An action on a card, kept until another patient is chosen. */
export type Reaction = {
  kind: 'accepted' | 'overridden';
  topic: string;
  title: string;
  changes: edit.Change[];
  feedback: string;
};

export type Pane = 'ask' | 'cards' | 'why';
export type Tab = 'why' | 'request' | 'response';
export type AskTab = 'patients' | 'own' | 'server' | 'order' | 'settings';
/** Resources of the request to highlight. The count makes a second click on the same one work. */
export type Marked = { refs: string[]; count: number };

/** The state of the page and its actions. */
export type Workbench = ReturnType<typeof useWorkbench>;

export function useWorkbench() {
  const [services, setServices] = useState<Service[]>([]);
  const [patients, setPatients] = useState<Patient[]>();
  const [examples, setExamples] = useState<Example[]>([]);
  const [rules, setRules] = useState<Record<string, RuleInWords>>({});
  const [origin, setOrigin] = useState<Origin>();
  const [request, setRequest] = useState<Json>();
  const [answer, setAnswer] = useState<Answer>();
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  const [language, setLanguage] = useState<Language>(preferredLanguage);
  const [reactions, setReactions] = useState<Reaction[]>([]);
  const [marked, setMarked] = useState<Marked>({ refs: [], count: 0 });
  const [explained, setExplained] = useState<{ rule: string }>({ rule: '' });
  const [pane, setPane] = useState<Pane>('ask');
  const [tab, setTab] = useState<Tab>('why');
  const [askTab, setAskTab] = useState<AskTab>('patients');
  const [ownText, setOwnText] = useState('');
  const [written, setWritten] = useState<unknown>();
  const [dropped, setDropped] = useState<File>();
  const newest = useRef(0);

  const send = async (next: Json, inLanguage: Language, known: Service[]) => {
    newest.current += 1;
    const number = newest.current;
    setRequest(next);
    const hook = edit.hookOf(next);
    const id = known.find((candidate) => candidate.hook === hook)?.id;
    if (id === undefined) {
      setAnswer(undefined);
      setBusy(false);
      setTrouble(`This service has no hook "${hook}". It has: ${known.map((one) => one.hook).join(', ')}.`);
      return;
    }
    setBusy(true);
    try {
      const found = await service.call(id, next, inLanguage);
      // A slow answer to an earlier request must not replace the current one.
      if (number !== newest.current) return;
      setAnswer(found);
      setTrouble(undefined);
    } catch (error) {
      if (number !== newest.current) return;
      setAnswer(undefined);
      setTrouble(messageOf(error));
    } finally {
      if (number === newest.current) setBusy(false);
    }
  };

  const ask = (next: Json) => send(next, language, services);

  const take = (next: Json, from: Origin, known = services) => {
    setOrigin(from);
    // Nothing about one patient may appear under the name of another.
    setAnswer(undefined);
    setTrouble(undefined);
    setReactions([]);
    setMarked({ refs: [], count: 0 });
    setWritten(next['hookInstance']);
    setTab('why');
    setPane('cards');
    remember(from);
    return send(edit.explained(next), language, known);
  };

  const choosePatient = async (patient: Patient, known = services) => {
    try {
      await take(await service.patientRequest(patient.name), { kind: 'patient', patient }, known);
    } catch (error) {
      setTrouble(messageOf(error));
    }
  };

  // Long-lived listeners must use the current state, not that of the first render.
  const latestChoose = useRef(choosePatient);
  latestChoose.current = choosePatient;

  useEffect(() => {
    void (async () => {
      try {
        const found = await service.discover();
        setServices(found);
        const [{ patients: list, examples: shown }, words] = await Promise.all([
          service.listPatients(),
          service.listRules(),
        ]);
        setPatients(list);
        setExamples(shown);
        setRules(words);
        const chooseByName = async () => {
          const asked = new URLSearchParams(location.hash.slice(1)).get('patient');
          const patient = list.find(({ name }) => name === asked);
          if (patient) await latestChoose.current(patient, found);
        };
        addEventListener('hashchange', chooseByName);
        await chooseByName();
      } catch (error) {
        setTrouble(messageOf(error));
        setPatients([]);
      }
    })();
  }, []);

  const serviceId = services.find(({ hook }) => request && hook === edit.hookOf(request))?.id;

  /** Records an action, sends it as feedback, and records the reply. */
  const sendFeedback = async (reaction: Omit<Reaction, 'feedback'>, item: Json) => {
    const noted = { ...reaction, feedback: 'Feedback is being sent …' };
    setReactions((before) => [...before.filter(({ topic }) => topic !== reaction.topic), noted]);
    const said = await service.feedback(serviceId ?? '', item).catch(messageOf);
    setReactions((before) => before.map((one) => (one === noted ? { ...noted, feedback: said } : one)));
  };

  return {
    services,
    patients,
    examples,
    rules,
    origin,
    request,
    answer,
    busy,
    trouble,
    language,
    reactions,
    marked,
    explained,
    pane,
    tab,
    askTab,
    ownText,
    /** The hookInstance of the unchanged request: every changed one has another. */
    written,
    dropped,
    trace: useMemo(() => answer && service.traceOf(answer), [answer]),
    cards: useMemo(() => cardsOf(answer), [answer]),
    take,
    choosePatient,
    setPane,
    setTab,
    setAskTab,
    setOwnText,
    setDropped,
    /** Passes a dropped file to the tab that reads it. */
    drop: (file: File) => {
      setDropped(file);
      setAskTab('own');
      setPane('ask');
    },
    ask: (next: Json) => ask(edit.withNewInstance(next)),
    speak: (next: Language) => {
      setLanguage(next);
      localStorage.setItem('language', next);
      if (request) void send(request, next, services);
    },
    accept: async (card: Card, suggestion: Suggestion) => {
      if (!request) return;
      const { request: changed, changes } = edit.accept(request, suggestion.actions);
      const item = {
        card: card.uuid,
        outcome: 'accepted',
        acceptedSuggestions: [{ id: suggestion.uuid }],
        outcomeTimestamp: new Date().toISOString(),
      };
      const topic = card.source.topic.code;
      await Promise.all([
        sendFeedback({ kind: 'accepted', topic, title: suggestion.label, changes }, item),
        ask(edit.withNewInstance(changed)),
      ]);
    },
    override: (card: Card, reason: { code: string; system: string; display?: string } | undefined) => {
      const item = {
        card: card.uuid,
        outcome: 'overridden',
        ...(reason && { overrideReason: { reason: { code: reason.code, system: reason.system } } }),
        outcomeTimestamp: new Date().toISOString(),
      };
      const title = reason?.display ?? reason?.code ?? 'without a reason';
      return sendFeedback({ kind: 'overridden', topic: card.source.topic.code, title, changes: [] }, item);
    },
    /** Sends the drafts with a new or changed one to a hook. */
    order: (draft: Resource, hook: string) => {
      if (!request) return Promise.resolve();
      const changed = edit.withDraft(request, draft);
      return ask(edit.withNewInstance(edit.atHook(changed, hook, [edit.refOf(draft)])));
    },
    /** Opens the request for editing. */
    edit: () => {
      setOwnText(JSON.stringify(request, null, 2));
      setAskTab('own');
      setPane('ask');
    },
    /** Opens the outcome of a rule. */
    explain: (rule: string) => {
      setTab('why');
      setPane('why');
      setExplained({ rule });
    },
    show: (refs: string[]) => {
      setMarked(({ count }) => ({ refs, count: count + 1 }));
      setTab('request');
      setPane('why');
    },
  };
}

function cardsOf(answer: Answer | undefined): Card[] | undefined {
  const body = answer?.status === 200 && isObject(answer.body) ? answer.body : undefined;
  return Array.isArray(body?.['cards']) ? (body['cards'] as Card[]) : undefined;
}

/** Puts the patient into the address, so that a reload or a link shows the same. */
function remember(origin: Origin): void {
  const hash = origin.kind === 'patient' ? `#patient=${origin.patient.name}` : ' ';
  history.replaceState(null, '', hash.trim() === '' ? location.pathname : hash);
}

function preferredLanguage(): Language {
  const known = (text: string | null): text is Language => (languages as readonly (string | null)[]).includes(text);
  const chosen = localStorage.getItem('language');
  if (known(chosen)) return chosen;
  const offered = navigator.languages.map((tag) => tag.slice(0, 2).replace(/^(no|nn)$/, 'nb'));
  return offered.find(known) ?? 'en';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
