import { useEffect, useRef, useState } from 'preact/hooks';
import { readPasted } from './request.ts';
import { messageOf, type Workbench } from './state.ts';

/** The user's own request: typed, pasted, chosen as a file, or dropped anywhere on the page. */
export function OwnTab({ bench }: { bench: Workbench }) {
  const [fault, setFault] = useState<string>();
  const area = useRef<HTMLTextAreaElement>(null);
  const use = (text: string, title: string) => {
    try {
      const request = readPasted(text, bench.services);
      setFault(undefined);
      void bench.take(request, { kind: 'own', title });
    } catch (error) {
      setFault(error instanceof SyntaxError ? `This is not JSON: ${error.message}.` : messageOf(error));
      const at = placeOf(error, text);
      if (at === undefined) return;
      area.current?.focus();
      area.current?.setSelectionRange(at, at + 1);
    }
  };
  const useFile = async (file: File | undefined) => {
    if (!file) return;
    const text = await file.text();
    bench.setOwnText(text);
    use(text, file.name);
  };
  useDropped(bench, useFile);
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        use(bench.ownText, 'Your own request');
      }}
    >
      <label class="field">
        <span class="label-text">A CDS Hooks request, or a FHIR Bundle of one patient</span>
        <textarea
          ref={area}
          class="mono"
          rows={14}
          spellcheck={false}
          value={bench.ownText}
          aria-invalid={fault !== undefined}
          aria-describedby="own-fault own-hint"
          onInput={({ currentTarget }) => bench.setOwnText(currentTarget.value)}
        />
      </label>
      <div id="own-fault" role="alert">
        {fault ? <p class="fault">{fault}</p> : null}
      </div>
      <div class="actions">
        <button type="submit" class="primary" disabled={bench.ownText.trim() === ''}>
          Ask
        </button>
        <label class="button file">
          Choose a file
          <input
            type="file"
            accept=".json,.txt,application/json"
            onChange={({ currentTarget }) => {
              void useFile(currentTarget.files?.[0]);
              currentTarget.value = '';
            }}
          />
        </label>
      </div>
      <p class="quiet" id="own-hint">
        A file may also be dropped anywhere on this page. It is sent to this service only, and not stored. A Bundle is
        treated as a chart being opened.
      </p>
    </form>
  );
}

/** The position of a JSON error, if the browser reports it. */
function placeOf(error: unknown, text: string): number | undefined {
  const message = error instanceof SyntaxError ? error.message : '';
  const at = /position (\d+)/.exec(message)?.[1];
  if (at !== undefined) return Number(at);
  return /end of|unterminated/i.test(message) ? text.length : undefined;
}

/** Reads a file that was dropped while another tab was shown. */
function useDropped(bench: Workbench, use: (file: File) => unknown): void {
  const { dropped, setDropped } = bench;
  useEffect(() => {
    if (!dropped) return;
    setDropped(undefined);
    use(dropped);
  }, [dropped]);
}
