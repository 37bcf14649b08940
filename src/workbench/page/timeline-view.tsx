import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Ref, ScrollTable } from './parts.tsx';
import type { Workbench } from './state.ts';
import { type Bar, type Course, dateOf, type Row, type Timeline, ticksOf, timelineOf } from './timeline.ts';
import type { Trace } from './wire.ts';

const ROW = 52;
const BAR = 10;
const HEAD = 26;
const COURSE = 24;
const kinds = { draft: 'draft', taken: 'taken', presumed: 'presumed', possible: 'possible' };
/** Maximum number of entries that the service returns for a treatment. */
const MOST_ENTRIES = 50;

/** The medicines of the chart on a timeline, as a drawing and as a table for those who cannot see it. */
export function TimelineView({ bench, trace }: { bench: Workbench; trace: Trace }) {
  const timeline = useMemo(() => timelineOf(trace, bench.cards ?? []), [trace, bench.cards]);
  const [width, box] = useWidth();
  const has = (kind: Bar['kind']) => timeline.rows.some(({ bars }) => bars.some((bar) => bar.kind === kind));
  if (timeline.rows.length === 0)
    return (
      <section class="timeline">
        <h3 class="small-title">Medicines over time</h3>
        <p class="quiet">
          {trace.sections['medications'] === 'complete'
            ? 'None of the patient’s medicines is in a code list.'
            : 'The medication list was not sent.'}
        </p>
      </section>
    );
  return (
    <section class="timeline">
      <h3 class="small-title">Medicines over time</h3>
      <div ref={box} class="drawing">
        {width > 0 ? <Drawing timeline={timeline} width={width} show={bench.show} /> : null}
      </div>
      <ul class="legend plain">
        {has('taken') ? <li class="legend-taken">taken</li> : null}
        {has('presumed') ? <li class="legend-presumed">presumed: nothing says that it has ended</li> : null}
        {has('possible') ? <li class="legend-possible">possible: ended at an unknown time</li> : null}
        {has('draft') ? <li class="legend-draft">draft</li> : null}
        {timeline.overlaps.length > 0 ? <li class="legend-overlap">overlap</li> : null}
        {timeline.courses.length > 0 ? <li class="legend-course">course</li> : null}
        {timeline.rows.some(({ proposed }) => proposed.length > 0) ? <li class="legend-stop">proposed stop</li> : null}
      </ul>
      <details class="as-table">
        <summary>As a table</summary>
        <Table timeline={timeline} bench={bench} />
      </details>
      {timeline.rows.some(({ entries }) => entries.length > 0) ? (
        <details class="as-table">
          <summary>Record entries behind them</summary>
          <Entries rows={timeline.rows} bench={bench} />
        </details>
      ) : null}
    </section>
  );
}

function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    if (!box.current) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return [width, box] as const;
}

type DrawingProps = { timeline: Timeline; width: number; show: (refs: string[]) => void };

function Drawing({ timeline, width: room, show }: DrawingProps) {
  // Drawn for the default font size and scaled to the page's, which is larger on a wall screen.
  const scale = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const width = room / scale;
  const { rows, overlaps, courses, today, from, to } = timeline;
  const x = (day: number) => Math.round((((day - from) / (to - from)) * (width - 2) + 1) * 10) / 10;
  const bottom = HEAD + rows.length * ROW;
  const height = bottom + 6 + courses.length * COURSE;
  const atToday = x(today + 0.5);
  const fits = width - atToday > 50;
  return (
    <svg
      role="img"
      aria-label={`${rows.length} medicines from ${dateOf(from)} to ${dateOf(to)}. The table below shows the same.`}
      width={room}
      height={height * scale}
      viewBox={`0 0 ${width} ${height}`}
    >
      <defs>
        <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect class="hatch-ground" width="6" height="6" />
          <rect class="hatch-line" width="2.5" height="6" />
        </pattern>
        <linearGradient id="fade" gradientUnits="userSpaceOnUse" x1={Math.min(atToday, width - 24)} x2={width}>
          <stop offset="0" stop-color="#fff" />
          <stop offset="1" stop-color="#000" />
        </linearGradient>
        <mask id="open-ended" maskUnits="userSpaceOnUse" x="0" y="0" width={width} height={height}>
          <rect width={width} height={height} fill="url(#fade)" />
        </mask>
      </defs>
      {ticksOf(from, to, Math.max(2, Math.floor(width / 90))).map(({ day, text }) => (
        <g key={day}>
          <line class="tick" x1={x(day)} x2={x(day)} y1={HEAD - 6} y2={bottom} />
          {Math.abs(x(day) - atToday) > 62 && x(day) < width - 50 ? (
            <text class="tick-text" x={x(day) + 3} y={12}>
              {text}
            </text>
          ) : null}
        </g>
      ))}
      {overlaps.map((overlap) => (
        <rect
          key={overlap.from}
          class={overlap.perhaps ? 'overlap perhaps' : 'overlap'}
          x={x(overlap.from ?? from)}
          width={Math.max(2, x((overlap.to ?? to) + 1) - x(overlap.from ?? from))}
          y={HEAD}
          height={bottom - HEAD}
        />
      ))}
      {rows.map((row, at) => (
        <RowView key={row.name} row={row} y={HEAD + at * ROW} x={x} from={from} to={to} show={show} />
      ))}
      {courses.map((course, at) => (
        <CourseView
          key={`${course.from}|${course.to}`}
          course={course}
          y={bottom + 4 + at * COURSE}
          x={x}
          width={width}
        />
      ))}
      <line class="today" x1={atToday} x2={atToday} y1={16} y2={bottom} />
      <text class="today-text" x={fits ? atToday : width - 2} y={12} text-anchor={fits ? 'middle' : 'end'}>
        today
      </text>
    </svg>
  );
}

type RowProps = {
  row: Row;
  y: number;
  x: (day: number) => number;
  from: number;
  to: number;
  show: (refs: string[]) => void;
};

function RowView({ row, y, x, from, to, show }: RowProps) {
  const bar = y + 22;
  // A draft has its own line below ongoing medicines.
  const draft = row.bars.some(({ kind }) => kind !== 'draft') ? bar + BAR + 3 : bar;
  return (
    <g>
      <text class="row-name" x={2} y={y + 15}>
        {row.name}
        {row.state === undefined ? null : <tspan class="row-state"> {row.state}</tspan>}
      </text>
      {row.bars.map((one) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: the table has the same as buttons
        <g key={`${one.ref}|${one.from}`} class={`bar ${one.kind}`} onClick={() => show([one.ref])}>
          <title>{`${one.ref}: ${spanOf(one)}`}</title>
          <rect
            class="bar-body"
            x={x(one.from ?? from)}
            y={one.kind === 'draft' ? draft : bar}
            width={Math.max(3, x(Math.min(one.to ?? to, to) + 1) - x(one.from ?? from))}
            height={BAR}
            rx={3}
            mask={one.to === undefined || one.to > to ? 'url(#open-ended)' : undefined}
          />
        </g>
      ))}
      {row.proposed.map(({ ref, day, label, recommended }) => (
        <g key={`${ref}|${day}`} class={recommended ? 'proposed recommended' : 'proposed'}>
          <title>{`${label} (${dateOf(day)})`}</title>
          <line x1={x(day + 1)} x2={x(day + 1)} y1={draft - 5} y2={draft + BAR + 5} />
          <path d={`M${x(day + 1)} ${draft - 9}l4 4-4 4-4-4z`} />
        </g>
      ))}
    </g>
  );
}

type CourseProps = { course: Course; y: number; x: (day: number) => number; width: number };

/** A bracket under the orders that a rule counts as one course. */
function CourseView({ course: { from, to }, y, x, width }: CourseProps) {
  const right = x(from) > width - 110;
  return (
    <g>
      <path class="course" d={`M${x(from)} ${y}v6H${x(to + 1)}v-6`} />
      <text
        class="tick-text"
        x={right ? x(to + 1) : Math.max(2, x(from))}
        y={y + 18}
        text-anchor={right ? 'end' : 'start'}
      >
        {`course of ${to - from + 1} days`}
      </text>
    </g>
  );
}

function spanOf({ kind, from, to, stopFrom }: Bar): string {
  return `${kinds[kind]}, ${startText(from)} to ${endText(to)}${stopFrom ? ` (by ${stopFrom})` : ''}`;
}

function startText(from: number | undefined): string {
  return from === undefined ? 'start not known' : dateOf(from);
}

function endText(to: number | undefined): string {
  return to === undefined ? 'no end known' : dateOf(to);
}

function Table({ timeline, bench }: { timeline: Timeline; bench: Workbench }) {
  const { rows, overlaps, courses, today } = timeline;
  return (
    <ScrollTable
      name="Medicines over time, as a table"
      caption={`As of ${dateOf(today)}`}
      headings={['Medicine', 'Resource', 'From', 'To', 'State']}
    >
      {rows.flatMap((row) => [
        ...row.bars.map((bar) => (
          <tr key={`${bar.ref}|${bar.from}`}>
            <th scope="row">{row.name}</th>
            <td>
              <Ref to={bar.ref} bench={bench} />
            </td>
            <td class="date">{startText(bar.from)}</td>
            <td>
              {endText(bar.to)}
              {bar.stopFrom ? ` (${bar.stopFrom})` : ''}
            </td>
            <td>{kinds[bar.kind]}</td>
          </tr>
        )),
        row.state === undefined ? null : (
          <tr key={row.name}>
            <th scope="row">{row.name}</th>
            <td />
            <td colSpan={2}>today</td>
            <td>{row.state}</td>
          </tr>
        ),
        ...row.proposed.map(({ ref, day, label, recommended }) => (
          <tr key={`${ref}|${day}`}>
            <th scope="row">{row.name}</th>
            <td>{ref}</td>
            <td />
            <td class="date">{dateOf(day)}</td>
            <td>
              proposed: {label}
              {recommended ? ' (recommended)' : ''}
            </td>
          </tr>
        )),
      ])}
      {overlaps.map(({ from, to, names, perhaps }) => (
        <tr key={from}>
          <th scope="row">Overlap</th>
          <td>{names.join(', ')}</td>
          <td class="date">{startText(from)}</td>
          <td>{endText(to)}</td>
          <td>{perhaps ? 'possible' : ''}</td>
        </tr>
      ))}
      {courses.map(({ rule, fact, from, to }) => (
        <tr key={`${rule}|${fact}|${from}`}>
          <th scope="row">Course</th>
          <td>{rule}</td>
          <td class="date">{dateOf(from)}</td>
          <td class="date">{dateOf(to)}</td>
          <td>{to - from + 1} days</td>
        </tr>
      ))}
    </ScrollTable>
  );
}

/** The entries behind each treatment: orders, statements, dispenses, administrations and other evidence. */
function Entries({ rows, bench }: { rows: Row[]; bench: Workbench }) {
  return (
    <ScrollTable
      name="Record entries behind the treatments"
      headings={['Medicine', 'Entry', 'Kind', 'From', 'To', 'Counts as']}
    >
      {rows.flatMap(({ name, entries }) => [
        ...entries.map((entry) => (
          <tr key={entry.ref}>
            <th scope="row">{name}</th>
            <td>
              <Ref to={entry.ref} bench={bench} />
            </td>
            <td>{entry.kind}</td>
            <td class="date">{entry.start ?? 'start not known'}</td>
            <td>
              {entry.stop ?? 'no end known'}
              {entry.stopFrom ? ` (${entry.stopFrom})` : ''}
            </td>
            <td>{entry.replaced ? 'replaced by a draft' : (entry.degree ?? 'over')}</td>
          </tr>
        )),
        entries.length < MOST_ENTRIES ? null : (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td colSpan={5}>the newest {MOST_ENTRIES}; there may be more</td>
          </tr>
        ),
      ])}
    </ScrollTable>
  );
}
