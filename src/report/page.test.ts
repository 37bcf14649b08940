import { expect, test } from 'vitest';
import { languages } from '../language.ts';
import { bars, lines } from './chart.ts';
import { ticksUpTo } from './numbers.ts';
import { type Block, page } from './page.ts';

const HOSTILE = `"><script>alert('x')</script>&<img src=//evil.example>`;

function pageOf(...blocks: Block[]): string {
  return page({ language: 'sv', title: 'Prognos', sections: [{ heading: 'Rubrik', blocks }] });
}

test('a page requests nothing from outside and runs nothing, whatever its texts contain', () => {
  const row = { label: HOSTILE, values: [1, 2] };
  const described = { title: HOSTILE, description: HOSTILE, language: 'sv' as const };
  const html = page({
    language: 'sv',
    title: HOSTILE,
    subtitle: HOSTILE,
    footer: [HOSTILE],
    sections: [
      {
        heading: HOSTILE,
        blocks: [
          { paragraph: HOSTILE },
          { list: [HOSTILE] },
          { figures: [{ value: HOSTILE, label: HOSTILE, note: HOSTILE }] },
          { table: { caption: HOSTILE, columns: [{ heading: HOSTILE }], rows: [[HOSTILE]] } },
          { chart: bars({ ...described, id: 'a', series: [HOSTILE, HOSTILE], rows: [row], stacked: true }) },
          { chart: lines({ ...described, id: 'b', labels: [HOSTILE], series: [{ name: HOSTILE, values: [1] }] }) },
        ],
      },
    ],
  });
  expect(html).not.toMatch(/<(script|img|link|iframe|object)|<[^>]* (src|href|on\w+)=|@import|url\((?!#)/i);
  expect(html.match(/&lt;script&gt;/g)?.length).toBeGreaterThan(15);
  expect(html).toContain("default-src 'none'");
});

test.each(languages)('numbers and the language of the page follow the locale %s', (language) => {
  const table = { caption: 'T', columns: [{ heading: 'A' }, { heading: 'B', numeric: true }], rows: [['x', 1234.56]] };
  const html = page({ language, title: 'T', sections: [{ heading: 'H', blocks: [{ table }] }] });
  expect(html).toContain(`<html lang="${language}">`);
  const written = { sv: '1\u00a0234,6', nb: '1\u00a0234,6', da: '1.234,6', en: '1,234.6' }[language];
  expect(html).toContain(`<td class="number">${written}</td>`);
});

test('a table has headers for its columns and rows', () => {
  const html = pageOf({ table: { caption: 'Regler', columns: [{ heading: 'Regel' }], rows: [['en']] } });
  expect(html).toContain('<th scope="col">Regel</th>');
  expect(html).toContain('<th scope="row">en</th>');
  expect(html).toMatch(/<caption id="t0-0">Regler<\/caption>/);
});

test('a chart is an image with a title and a description', () => {
  const { html } = bars({
    id: 'rules',
    title: 'Kort',
    description: 'Hur många',
    language: 'sv',
    series: ['kort'],
    rows: [{ label: 'en regel', values: [5] }],
  });
  expect(html).toContain('role="img" aria-labelledby="rules-t rules-d"');
  expect(html).toContain('<desc id="rules-d">Hur många</desc>');
});

test('bars are proportional to their values, and the parts of a stacked bar follow one another', () => {
  const base = { id: 'b', title: 't', description: 'd', language: 'en' as const };
  const widths = (html: string) =>
    [...html.matchAll(/<rect x="([\d.]+)%" width="([\d.]+)%"/g)].map((m) => [m[1], m[2]]);
  const plain = bars({
    ...base,
    series: ['a'],
    rows: [
      { label: 'x', values: [10] },
      { label: 'y', values: [5] },
      { label: 'z', values: [0] },
    ],
  });
  expect(widths(plain.html)).toEqual([
    ['0', '84'],
    ['0', '42'],
  ]);
  const stacked = bars({ ...base, series: ['a', 'b'], stacked: true, rows: [{ label: 'x', values: [30, 10] }] });
  expect(widths(stacked.html)).toEqual([
    ['0', '63'],
    ['63', '21'],
  ]);
});

test('a line breaks at unknown values', () => {
  const chart = (values: (number | undefined)[]) =>
    lines({
      id: 'l',
      title: 't',
      description: 'd',
      language: 'en',
      labels: ['1', '2', '3', '4'],
      series: [{ name: 'a', values }],
    }).html;
  const drawn = (html: string) => html.match(/class="series/g)?.length ?? 0;
  expect(drawn(chart([1, 2, 3, 4]))).toBe(3);
  expect(drawn(chart([1, 2, undefined, 4]))).toBe(1);
});

test.each([
  [0, [0, 1]],
  [1, [0, 0.25, 0.5, 0.75, 1]],
  [9, [0, 2.5, 5, 7.5, 10]],
  [37, [0, 10, 20, 30, 40]],
  [1200, [0, 500, 1000, 1500]],
])('an axis up to %d has round ticks', (most, ticks) => {
  expect(ticksUpTo(most)).toEqual(ticks);
});
