import { useState } from 'preact/hooks';
import { applyTheme, storedTheme, type Theme, themes } from './theme.ts';

const words: Record<Theme, string> = { auto: 'System', light: 'Light', dark: 'Dark' };

export function Header() {
  const [theme, setTheme] = useState(storedTheme);
  const choose = (next: Theme) => {
    applyTheme(next);
    setTheme(next);
  };
  return (
    <header class="top">
      <div class="brand">
        <img src="/workbench/icon.svg" alt="" width="28" height="28" />
        <h1>
          Nordic Opioid CDS <span>Workbench</span>
        </h1>
      </div>
      <p class="sandbox">Sandbox: invented patients only</p>
      <a class="api" href="/advice">
        Advice
      </a>
      <a class="api" href="/docs">
        API
      </a>
      <label class="inline">
        <span class="label-text">Theme</span>
        <select value={theme} onChange={({ currentTarget }) => choose(currentTarget.value as Theme)}>
          {themes.map((name) => (
            <option key={name} value={name}>
              {words[name]}
            </option>
          ))}
        </select>
      </label>
    </header>
  );
}
