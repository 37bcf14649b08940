/** How the page of the API looks: the colours of the workbench, contents on the left where there is room. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f4f6f8, #0e1318); --panel: light-dark(#fff, #161c23); --raised: light-dark(#f4f7fa, #10161c);
  --ink: light-dark(#16202b, #e7ecf1); --quiet: light-dark(#536170, #9fadba); --line: light-dark(#dce2e8, #2a343e);
  --accent: light-dark(#0b5cad, #7ab8f5); --post: light-dark(#0f5a2c, #8ce0ab); --failed: light-dark(#8a4600, #f0ab5b);
  --key: light-dark(#0b5cad, #7ab8f5); --text: light-dark(#0f5a2c, #8ce0ab); --value: light-dark(#8a4600, #f0ab5b);
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "Liberation Mono", monospace;
  font: 400 100%/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  color: var(--ink); background: var(--ground); scrollbar-color: var(--line) transparent; scroll-padding-top: 1rem;
}
*, *::before, *::after { box-sizing: border-box; }
body { margin: 0; -webkit-text-size-adjust: 100%; }
h1, h2, h3, h4, p, ul, dl, dd, pre { margin: 0; }
h1, h2, h3 { line-height: 1.3; text-wrap: balance; }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; padding: .5rem 1rem; background: var(--panel); z-index: 1; }
nav { padding: 1.25rem 1rem 0; }
nav .brand { font-weight: 650; }
nav .brand span { display: block; color: var(--quiet); font-weight: 400; font-size: .875rem; }
nav h2 { margin: 1.25rem 0 .25rem; font-size: .875rem; font-weight: 600; color: var(--quiet); }
nav ul { padding: 0; list-style: none; }
nav a { display: flex; align-items: baseline; gap: .5rem; padding: .2rem .5rem; margin: 0 -.5rem; border-radius: 6px; color: inherit; font-size: .875rem; text-decoration: none; overflow-wrap: anywhere; }
nav a:hover { background: var(--panel); }
main { padding: 1.25rem 1rem 4rem; max-width: 62rem; min-width: 0; }
header p { max-width: 44rem; margin-top: .5rem; }
h1 { font-size: clamp(1.5rem, 4vw, 2rem); font-weight: 650; }
section > h2 { margin-top: 3rem; font-size: 1.375rem; font-weight: 650; }
h3 { font-size: 1.0625rem; font-weight: 600; overflow-wrap: anywhere; }
h4 { margin-top: 1.25rem; font-size: .9375rem; font-weight: 600; }
code { font-family: var(--mono); font-size: .9em; }
.lead { color: var(--quiet); margin-top: .25rem; }
.facts { display: flex; flex-wrap: wrap; gap: .75rem 2.5rem; margin-top: 1.25rem; }
.facts dt { color: var(--quiet); font-size: .875rem; }
article { margin-top: 1rem; padding: 1.125rem 1.25rem 1.25rem; background: var(--panel); border: 1px solid var(--line); border-radius: 10px; scroll-margin-top: 1rem; }
article p { max-width: 46rem; }
article p + p, article .lead + p { margin-top: .5rem; }
.m { display: inline-block; min-width: 3.1rem; font: 600 .75rem/1 var(--mono); color: var(--accent); letter-spacing: .02em; }
.m.post { color: var(--post); }
nav .m { min-width: 2.4rem; font-size: .6875rem; }
pre { margin-top: .75rem; padding: .75rem 1rem; overflow: auto; max-height: 26rem; background: var(--raised); border: 1px solid var(--line); border-radius: 8px; font-size: .8125rem; line-height: 1.5; tab-size: 2; }
pre code { font-size: 1em; }
pre i { font-style: normal; } .k { color: var(--key); } .s { color: var(--text); } .v { color: var(--value); }
details { margin-top: .5rem; }
summary { cursor: pointer; color: var(--accent); font-size: .9375rem; width: fit-content; max-width: 100%; }
.answers { margin-top: .5rem; border-top: 1px solid var(--line); }
.answers > div { display: grid; grid-template-columns: 3.5rem minmax(0, 1fr); padding: .625rem 0; border-bottom: 1px solid var(--line); }
.answers > div:last-child { border-bottom: 0; padding-bottom: 0; }
.answers dt { font: 600 .9375rem/1.55 var(--mono); color: var(--post); }
.answers .failed dt { color: var(--failed); }
.scroll { position: relative; overflow-x: auto; margin-top: .75rem; }
table { width: 100%; border-collapse: collapse; font-size: .9375rem; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th code span { color: var(--quiet); }
th, td { text-align: left; vertical-align: top; padding: .45rem 1rem .45rem 0; border-top: 1px solid var(--line); font-weight: 400; }
thead th { border-top: 0; color: var(--quiet); font-size: .875rem; font-weight: 600; }
th b { font-size: .75rem; font-weight: 600; color: var(--failed); white-space: nowrap; }
tbody th { width: 38%; overflow-wrap: anywhere; } td:nth-child(2) { width: 22%; } td { overflow-wrap: break-word; }
td span { font-size: .875rem; color: var(--quiet); }
.d1 { padding-left: 1rem; } .d2 { padding-left: 2rem; } .d3 { padding-left: 3rem; } .d4 { padding-left: 4rem; }
.answers.first { margin-top: 0; border-top: 0; } .answers.first > div:first-child { padding-top: 0; }
.any { margin-left: .5rem; font-size: .75rem; color: var(--quiet); border: 1px solid var(--line); border-radius: 99px; padding: .05rem .5rem; white-space: nowrap; }
.more { margin-top: .75rem; font-size: .875rem; color: var(--quiet); }
nav h2 a { font-size: inherit; color: inherit; }
@media (max-width: 63.99rem) { nav .wide { display: none; } nav ul { display: flex; flex-wrap: wrap; gap: 0 1rem; } nav { border-bottom: 1px solid var(--line); padding-bottom: 1rem; } }
@media (min-width: 64rem) {
  body { display: grid; grid-template-columns: 19rem minmax(0, 1fr); max-width: 88rem; margin: 0 auto; }
  nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.75rem 1rem 2rem 1.5rem; }
  main { padding: 1.75rem 2rem 5rem 1.5rem; }
}
@media (max-width: 40rem) {
  article { padding: 1rem; margin-inline: -.25rem; }
  table, thead, tbody, tr, th, td { display: block; width: auto; }
  thead { position: absolute; left: -99rem; }
  tr { border-top: 1px solid var(--line); padding: .5rem 0; } th, td, tbody th, td:nth-child(2) { border: 0; padding-block: .1rem; width: auto; }
}
@media print { nav { display: none; } body { display: block; } article { break-inside: avoid; } }
`;
