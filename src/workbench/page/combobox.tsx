import { useEffect, useRef, useState } from 'preact/hooks';
import { searchMedicines } from './service.ts';
import type { Medicine } from './wire.ts';

type Props = { text: string; change: (text: string, chosen: Medicine | undefined) => void };

/** Searches medicines of the code lists; an editable combobox following the ARIA pattern. Other text is allowed. */
export function MedicineBox({ text, change }: Props) {
  const [options, setOptions] = useState<Medicine[]>([]);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const typed = useRef(false);

  useEffect(() => {
    if (!typed.current || text.trim().length < 2) {
      setOptions([]);
      return;
    }
    let current = true;
    const timer = setTimeout(async () => {
      const found = await searchMedicines(text.trim()).catch(() => []);
      if (!current) return;
      setOptions(found);
      setActive(-1);
      setOpen(true);
    }, 150);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text]);

  const choose = (medicine: Medicine) => {
    typed.current = false;
    setOpen(false);
    change(medicine.name, medicine);
  };
  const shown = open && options.length > 0;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') setOpen(false);
    if (event.key === 'Enter' && shown && options[active]) {
      event.preventDefault();
      choose(options[active]);
    }
    if ((event.key !== 'ArrowDown' && event.key !== 'ArrowUp') || options.length === 0) return;
    event.preventDefault();
    setOpen(true);
    const step = event.key === 'ArrowDown' ? 1 : -1;
    setActive((active + step + options.length + (active < 0 && step < 0 ? 1 : 0)) % options.length);
  };
  return (
    <div class="field combobox">
      <label for="medicine" class="label-text">
        Medicine: name, brand or code
      </label>
      <input
        id="medicine"
        type="text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        aria-autocomplete="list"
        aria-expanded={shown}
        aria-controls="medicines"
        aria-activedescendant={shown && active >= 0 ? `medicine-${active}` : undefined}
        value={text}
        onInput={({ currentTarget }) => {
          typed.current = true;
          change(currentTarget.value, undefined);
        }}
        onKeyDown={onKeyDown}
        onBlur={() => setOpen(false)}
      />
      <div id="medicines" role="listbox" aria-label="Medicines" hidden={!shown}>
        {options.map((medicine, at) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input has the focus, and its keys
          <div
            key={`${medicine.name}|${medicine.code}`}
            id={`medicine-${at}`}
            role="option"
            tabIndex={-1}
            aria-selected={at === active}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(medicine)}
          >
            <span>{medicine.name}</span> <code>{medicine.code}</code>
            <small>{medicine.lists.slice(0, 3).join(', ').replaceAll('-', ' ')}</small>
          </div>
        ))}
      </div>
      <p class="quiet" role="status">
        {open && typed.current && text.trim().length >= 2 && options.length === 0
          ? 'Not in any code list. It is sent as text only.'
          : ''}
      </p>
    </div>
  );
}
