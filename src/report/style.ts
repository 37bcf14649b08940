/** The style of a report: one column of text, charts side by side if there is room, plain ink on paper. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #fff; --ink: #1b2430; --quiet: #55606e; --line: #d5dae1; --wash: #f4f6f8; --accent: #0b5f73;
  --c0: #0b6e85; --c1: #c4561c; --c2: #6a55a8; --c3: #4d7d2b; --c4: #b03a6b; --c5: #6b7280; --over: #fff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12171d; --ink: #e6eaef; --quiet: #a3adb9; --line: #343d48; --wash: #1b222a; --accent: #6cc3d5;
    --c0: #4fb3c8; --c1: #f09a63; --c2: #b2a2ea; --c3: #93c76c; --c4: #ea8fb3; --c5: #a8b0bb; --over: #12171d;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 68rem; padding: 2.5rem 1.25rem 3rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
header { border-bottom: 3px solid var(--accent); padding-bottom: 1rem; }
h1 { font-size: clamp(1.5rem, 4.5vw, 2.1rem); line-height: 1.2; margin: 0; text-wrap: balance; }
header p { margin: .5rem 0 0; color: var(--quiet); }
h2 { font-size: 1.3rem; line-height: 1.3; margin: 2.75rem 0 .75rem; }
p, li { max-width: 44rem; }
p { margin: .75rem 0; }
ul { padding-left: 1.25rem; }
li { margin: .3rem 0; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); color: var(--quiet); font-size: .85rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1.25rem 0; }
.figures div { background: var(--wash); border-left: 3px solid var(--accent); padding: .7rem .9rem; display: flex; flex-direction: column; }
.figures dd:first-of-type { order: -1; }
.figures dt { color: var(--quiet); font-size: .88rem; line-height: 1.35; }
.figures dd { margin: 0; }
.figures b { font-size: 1.7rem; line-height: 1.25; font-weight: 650; }
.scroll { overflow-x: auto; margin: 1.25rem 0; }
.scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; min-width: 100%; font-size: .92rem; }
caption { text-align: left; font-weight: 600; padding: .25rem 0 .5rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); }
thead th { color: var(--quiet); font-weight: 600; vertical-align: bottom; border-bottom: 2px solid var(--line); line-height: 1.3; }
tbody th { font-weight: 500; min-width: 11rem; }
th.number, td.number { text-align: right; padding: .4rem 0 .4rem 1rem; }
td.number { white-space: nowrap; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1.5rem 2.5rem; margin: 1.25rem 0; align-items: start; }
figure { margin: 0; break-inside: avoid; }
figcaption { font-weight: 600; margin-bottom: .35rem; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; margin: 0 0 .5rem; padding: 0; font-size: .85rem; color: var(--quiet); }
.legend li { display: inline-flex; align-items: center; gap: .4rem; margin: 0; }
.chart { display: block; overflow: visible; }
.chart text { font-size: 13px; fill: var(--ink); }
.chart .tick { font-size: 12px; fill: var(--quiet); }
.chart .value { font-weight: 600; }
.chart .on { text-anchor: middle; paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.axis { stroke: var(--quiet); stroke-width: 1; }
.grid { stroke: var(--line); stroke-width: 1; }
.over { stroke: var(--over); fill: none; stroke-width: 1.4; }
.over circle { fill: var(--over); stroke: none; }
.series { stroke-width: 2.2; stroke-linecap: round; }
.mark { stroke-width: 1.5; stroke: var(--paper); }
${[0, 1, 2, 3, 4, 5]
  .map(
    (of) =>
      `.f${of} { fill: var(--c${of}); } .series.c${of} { stroke: var(--c${of}); } .mark.c${of} { fill: var(--c${of}); }`,
  )
  .join('\n')}
.mark.c5 { stroke: var(--c5); stroke-width: 2.2; }
.series.c1 { stroke-dasharray: 7 4; } .series.c2 { stroke-dasharray: 2 4; } .series.c3 { stroke-dasharray: 10 3 2 3; }
.series.c4 { stroke-dasharray: 12 5; } .series.c5 { stroke-dasharray: 4 2; }
nav.ways { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin-bottom: 1.25rem; font-size: .92rem; }
nav.ways a { padding: .2rem 0; }
nav.ways [aria-current] { color: var(--ink); font-weight: 600; text-decoration: none; }
a { color: var(--accent); text-underline-offset: .15em; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
h3 { font-size: 1.12rem; line-height: 1.35; margin: 0 0 .25rem; }
h4 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: .88em; overflow-wrap: anywhere; }
pre { margin: .75rem 0; padding: .7rem .9rem; max-height: 26rem; overflow: auto; background: var(--wash); border-left: 3px solid var(--line); }
pre code { overflow-wrap: normal; }
h3:has(code) { margin-top: 2.25rem; } h3 code { font-size: .95em; }
small { color: var(--quiet); display: block; font-size: .85em; line-height: 1.35; }
blockquote { margin: .75rem 0; padding: .1rem 0 .1rem 1rem; border-left: 3px solid var(--accent); max-width: 44rem; font-size: 1.05rem; }
.rule { margin: 1.5rem 0; padding: 1.25rem 0 0; border-top: 2px solid var(--line); }
.kind { font-weight: 600; }
.spoken { background: var(--wash); border-left: 3px solid var(--line); padding: .25rem 1rem .5rem; }
.where { color: var(--quiet); font-size: .88rem; margin: 1rem 0 -.5rem; }
.state { display: inline-block; padding: .2rem .75rem; background: var(--wash); border-left: 3px solid var(--accent); font-weight: 600; }
.state.off { border-left-color: var(--c1); }
.contents { padding-left: 0; list-style: none; } .contents > li { margin-top: 1rem; font-weight: 600; } .contents li li { font-weight: 400; }
.proof { min-width: 36rem; } summary { cursor: pointer; color: var(--accent); width: fit-content; }
details dt { font-weight: 600; margin-top: .5rem; } details dd { margin: 0; }
.proof td { width: 40%; overflow-wrap: anywhere; }
footer p { overflow-wrap: anywhere; max-width: none; }
@media print {
  nav.ways { display: none; } h3, h4, .where { break-after: avoid; } blockquote { break-inside: avoid-page; } a { color: inherit; }
  .rule { font-size: 9pt; line-height: 1.4; break-inside: auto; } .rule p, .rule ul, .rule .scroll { margin: .3rem 0; max-width: none; } .rule li { margin: 0; max-width: none; } .rule h4 { margin: .8rem 0 0; font-size: 9.5pt; } .rule table { font-size: 8.5pt; } .rule .where { font-size: 8pt; } .rule blockquote { font-size: 10pt; margin: .4rem 0; } .rule h3 { font-size: 12pt; } .rule th, .rule td { padding-block: .15rem; }
  details { display: none; }
  :root { color-scheme: light; --paper: #fff; --ink: #000; --quiet: #444; --line: #bbb; --wash: #fff; --accent: #000; --over: #fff;
    --c0: #0b6e85; --c1: #c4561c; --c2: #6a55a8; --c3: #4d7d2b; --c4: #b03a6b; --c5: #6b7280; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h2 { break-after: avoid; } tr, figure { break-inside: avoid; } .scroll { overflow: visible; } thead { display: table-header-group; }
}
`;
