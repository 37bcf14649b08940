import { useId, useState } from 'preact/hooks';
import type { Tuning } from './tuning.ts';
import type { Choices, Parameter } from './wire.ts';

const countries: [string, string][] = [
  ['', 'none'],
  ['SE', 'Sweden'],
  ['NO', 'Norway'],
  ['DK', 'Denmark'],
];

/** The settings of a hospital. Nothing here changes the running service. */
export function SettingsTab({ tuning }: { tuning: Tuning }) {
  const { choices, settings, changed, trouble } = tuning;
  if (!choices || !settings) return <p class="quiet">{trouble ?? 'Loading the settings …'}</p>;
  return (
    <div class="stack">
      <p class="quiet">
        Try other settings on the invented patients. This service keeps its own: save the file as{' '}
        <code>hooks/site.yaml</code> and restart to use them.
      </p>
      <label class="field">
        <span class="label-text">Country</span>
        <select value={settings.country ?? ''} onChange={({ currentTarget }) => tuning.setCountry(currentTarget.value)}>
          {countries.map(([code, name]) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <div>
        {choices.guidelines.map((guideline) => (
          <GuidelineSettings key={guideline.id} guideline={guideline} tuning={tuning} />
        ))}
      </div>
      <div class="actions">
        <button type="button" disabled={!changed} onClick={tuning.reset}>
          Reset to the site’s settings
        </button>
      </div>
    </div>
  );
}

function GuidelineSettings({ guideline, tuning }: { guideline: Choices['guidelines'][number]; tuning: Tuning }) {
  const { id, title, rules, parameters } = guideline;
  const own = Object.keys(tuning.settings?.parameters[id] ?? {}).length;
  const switched = rules.filter(
    (rule) => tuning.isOn(rule.id, rule.offByDefault) === rule.offByDefault || tuning.isOnTrial(rule.id),
  ).length;
  return (
    <details class="group">
      <summary>
        <span>{title}</span>
        {own + switched > 0 ? <span class="count">{own + switched} set</span> : null}
      </summary>
      <div class="stack settings-group">
        {rules.map((rule) => (
          <RuleField key={rule.id} rule={rule} tuning={tuning} />
        ))}
        {parameters.map((parameter) => (
          <ParameterField key={parameter.name} guideline={id} parameter={parameter} tuning={tuning} />
        ))}
      </div>
    </details>
  );
}

type Rule = Choices['guidelines'][number]['rules'][number];

/** Whether a rule is on, and whether its cards are only counted. */
function RuleField({ rule: { id, says, countries, offByDefault }, tuning }: { rule: Rule; tuning: Tuning }) {
  const on = tuning.isOn(id, offByDefault);
  return (
    <div class="setting-rule">
      <label class="check">
        <input
          type="checkbox"
          checked={on}
          onChange={({ currentTarget }) => tuning.setRule(id, offByDefault, currentTarget.checked)}
        />
        <span>
          <code>{id}</code>
          <small>
            {says}
            {countries.length > 0 ? ` Only in ${countries.join(', ')}.` : ''}
            {offByDefault ? ' Off by default.' : ''}
          </small>
        </span>
      </label>
      {on ? (
        <label class="check setting-trial">
          <input
            type="checkbox"
            aria-label={`On trial: ${id}`}
            checked={tuning.isOnTrial(id)}
            onChange={({ currentTarget }) => tuning.setTrial(id, currentTarget.checked)}
          />
          <small>On trial: counted, not shown</small>
        </label>
      ) : null}
    </div>
  );
}

/** A number, or several separated by commas. */
function ParameterField({ guideline, parameter, tuning }: { guideline: string; parameter: Parameter; tuning: Tuning }) {
  const { name, delivered, min, max, source } = parameter;
  const [text, setText] = useState<string>();
  const hint = useId();
  const value = tuning.settings?.parameters[guideline]?.[name];
  const shown = text ?? [value ?? delivered].flat().join(', ');
  const take = (written: string) => {
    setText(written);
    const numbers = written.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
    if (numbers.some(Number.isNaN)) return;
    const next = Array.isArray(delivered) ? numbers : (numbers[0] as number);
    const same = JSON.stringify(next) === JSON.stringify(delivered);
    tuning.setParameter(guideline, name, same ? undefined : next);
  };
  return (
    <label class="field">
      <span class="label-text">{name.replace(/([a-z])([A-Z0-9])/g, '$1 $2').toLowerCase()}</span>
      <input
        type="text"
        inputMode="decimal"
        value={shown}
        aria-describedby={hint}
        onInput={({ currentTarget }) => take(currentTarget.value)}
        onBlur={() => setText(undefined)}
      />
      <small id={hint} class="quiet">
        {min}–{max}, delivered as {[delivered].flat().join(', ')}
        {source === undefined ? '' : `; ${source}`}
      </small>
    </label>
  );
}
