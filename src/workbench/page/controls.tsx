import { atHook, dayOf, hookOf, onDay } from './request.ts';
import type { Workbench } from './state.ts';
import { type Json, type Language, languages } from './wire.ts';

const names: Record<Language, string> = { sv: 'Svenska', nb: 'Norsk', da: 'Dansk', en: 'English' };

/** Day, hook and language of the call, and the status of the last answer. */
export function Controls({ bench, request }: { bench: Workbench; request: Json }) {
  const { answer, busy } = bench;
  return (
    <div class="controls">
      <fieldset class="segmented">
        <legend class="visually-hidden">Language of the cards</legend>
        {languages.map((language) => (
          <button
            key={language}
            type="button"
            lang={language}
            aria-pressed={bench.language === language}
            onClick={() => bench.speak(language)}
          >
            {names[language]}
          </button>
        ))}
      </fieldset>
      <p class="timing">
        {busy
          ? 'Asking …'
          : answer
            ? `${answer.status} · ${Math.max(1, Math.round(answer.ms))} ms · ${sizeOf(answer.bytes)}`
            : ''}
      </p>
      <div class="controls-row">
        <label class="inline">
          <span class="label-text">Hook</span>
          <select
            value={hookOf(request)}
            onChange={({ currentTarget }) => void bench.ask(atHook(request, currentTarget.value))}
          >
            {[...new Set([...bench.services.map(({ hook }) => hook), hookOf(request)])].map((hook) => (
              <option key={hook}>{hook}</option>
            ))}
          </select>
        </label>
        <label class="inline">
          <span class="label-text">Day</span>
          <input
            type="date"
            value={dayOf(request)}
            onChange={({ currentTarget }) => void bench.ask(onDay(request, currentTarget.value))}
          />
        </label>
        <button type="button" class="quiet-button" onClick={() => void bench.ask(request)}>
          Send again
        </button>
      </div>
    </div>
  );
}

export function sizeOf(bytes: number): string {
  return bytes < 1000 ? `${bytes} bytes` : `${(bytes / 1000).toFixed(1)} kB`;
}
