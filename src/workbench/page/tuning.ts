import { useEffect, useRef, useState } from 'preact/hooks';
import { listChoices, trySettings } from './service.ts';
import { messageOf } from './state.ts';
import type { Choices, Settings, Tried } from './wire.ts';

/** Settings other than the site's, and what they would change. */
export type Tuning = ReturnType<typeof useTuning>;

/** Milliseconds without typing before the settings are tried. */
const PAUSE = 500;

/** Sends nothing until the settings are `shown`. */
export function useTuning(shown: boolean) {
  const [choices, setChoices] = useState<Choices>();
  const [settings, setSettings] = useState<Settings>();
  const [tried, setTried] = useState<Tried>();
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  const newest = useRef(0);

  useEffect(() => {
    if (!shown || choices) return;
    listChoices()
      .then((found) => {
        setChoices(found);
        setSettings(found.settings);
      })
      .catch((error) => setTrouble(messageOf(error)));
  }, [shown]);

  const changed = settings !== undefined && JSON.stringify(settings) !== JSON.stringify(choices?.settings);
  useEffect(() => {
    newest.current += 1;
    const number = newest.current;
    setTrouble(undefined);
    if (!settings || !changed) {
      setTried(undefined);
      setBusy(false);
      return;
    }
    setBusy(true);
    const timer = setTimeout(async () => {
      try {
        const found = await trySettings(settings);
        if (number === newest.current) setTried(found);
      } catch (error) {
        if (number !== newest.current) return;
        setTried(undefined);
        setTrouble(messageOf(error));
      } finally {
        if (number === newest.current) setBusy(false);
      }
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [settings]);

  const change = (part: (before: Settings) => Partial<Settings>) =>
    setSettings((before) => before && { ...before, ...part(before) });
  return {
    choices,
    settings,
    changed,
    tried,
    busy,
    trouble,
    setCountry: (country: string) => change(() => ({ country: country === '' ? null : country })),
    /** Whether a rule is on here, whatever its country. */
    isOn: (rule: string, offByDefault: boolean) =>
      settings?.off.includes(rule) === false && (!offByDefault || settings.on.includes(rule)),
    setRule: (rule: string, offByDefault: boolean, on: boolean) =>
      change((before) => ({
        off: on || offByDefault ? without(before.off, rule) : [...without(before.off, rule), rule],
        on: on && offByDefault ? [...without(before.on, rule), rule] : without(before.on, rule),
        trial: on ? before.trial : without(before.trial, rule),
      })),
    isOnTrial: (rule: string) => settings?.trial.includes(rule) === true,
    setTrial: (rule: string, trial: boolean) =>
      change((before) => ({ trial: trial ? [...without(before.trial, rule), rule] : without(before.trial, rule) })),
    /** `undefined` means the default. */
    setParameter: (guideline: string, name: string, value: number | number[] | undefined) =>
      change(({ parameters }) => {
        const { [name]: _old, ...others } = parameters[guideline] ?? {};
        const own = value === undefined ? others : { ...others, [name]: value };
        const { [guideline]: _before, ...rest } = parameters;
        return { parameters: Object.keys(own).length === 0 ? rest : { ...rest, [guideline]: own } };
      }),
    reset: () => setSettings(choices?.settings),
  };
}

function without(list: string[], item: string): string[] {
  return list.filter((other) => other !== item);
}
