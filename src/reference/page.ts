import { escapeHtml } from '../report/markup.ts';
import { type Document, type Media, type Method, type Operation, type Response, resolve } from './document.ts';
import type { ExampleCall } from './examples.ts';
import { fieldsHtml } from './fields.ts';
import { jsonHtml, linesHtml, paragraphsHtml, slug } from './html.ts';
import { style } from './style.ts';

type Entry = { method: Method; path: string; operation: Operation };

/** The description of the API as a page: no script, no request, its style inside. `origin` is where it is read. */
export function referencePage(document: Document, examples: ExampleCall[], origin: string): string {
  const { info, tags, components } = document;
  const entries = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): Entry => ({ method: method as Method, path, operation })),
  );
  const anywhere = commonErrors(entries);
  const groups = tags.map((tag) => ({
    ...tag,
    entries: entries.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(info.title)}: API</title>
<style>${style}</style>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<nav aria-label="Contents">
<p class="brand">${escapeHtml(info.title)}<span>API ${escapeHtml(info.version)}</span></p>
${groups.map((group) => `<h2>${escapeHtml(group.name)}</h2>\n<ul>${group.entries.map(navItem).join('\n')}</ul>`).join('\n')}
<h2 class="wide"><a href="#errors">Errors</a></h2>
<h2 class="wide">Schemas</h2>
<ul class="wide">${Object.keys(components.schemas)
    .map((name) => `<li><a href="#schema-${slug(name)}">${escapeHtml(name)}</a></li>`)
    .join('\n')}</ul>
</nav>
<main id="main">
<header>
<h1>${escapeHtml(info.title)} API</h1>
${paragraphsHtml(info.description)}
<dl class="facts"><div><dt>Address</dt><dd><code>${escapeHtml(origin)}</code></dd></div>
<div><dt>OpenAPI ${escapeHtml(document.openapi)}</dt><dd><a href="openapi.json">openapi.json</a></dd></div>
<div><dt>Try it</dt><dd><a href="/">Workbench</a></dd></div>
<div><dt>Token</dt><dd>${entries.some(({ operation }) => operation.security.length > 0) ? 'JWT, each call its own' : 'none: sandbox'}</dd></div></dl>
</header>
${groups.map((group) => groupHtml(group, { document, examples, origin, anywhere })).join('\n')}
${errorsHtml(document, anywhere)}
<section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>
${Object.entries(components.schemas)
  .map(
    ([name, schema]) =>
      `<article id="schema-${slug(name)}"><h3><code>${escapeHtml(name)}</code></h3>${fieldsHtml(document, schema, `Fields of ${name}`)}</article>`,
  )
  .join('\n')}
</section>
</main>
</body>
</html>
`;
}

function navItem({ method, path, operation }: Entry): string {
  const short = path.replace(/^\/cds-services\/(?=.)/, '');
  return `<li><a href="#${slug(operation.operationId)}"><span class="m ${method}">${method.toUpperCase()}</span> ${escapeHtml(short)}</a></li>`;
}

type Around = { document: Document; examples: ExampleCall[]; origin: string; anywhere: Set<string> };

/** The errors that every operation may answer with: said once, and not with each. */
function commonErrors(entries: Entry[]): Set<string> {
  const [first, ...others] = entries.map(({ operation }) => new Set(errorsOf(operation)));
  return others.reduce((common, errors) => common.intersection(errors), first ?? new Set());
}

function errorsOf({ responses }: Operation): string[] {
  const failed = Object.entries(responses).filter(([status]) => Number(status) >= 400);
  return failed.flatMap(([, { content = {} }]) =>
    Object.values(content).flatMap(({ examples }) => Object.keys(examples ?? {})),
  );
}

function groupHtml(group: Document['tags'][number] & { entries: Entry[] }, around: Around): string {
  const id = `tag-${slug(group.name)}`;
  return `<section aria-labelledby="${id}"><h2 id="${id}">${escapeHtml(group.name)}</h2>
<p class="lead">${escapeHtml(group.description)}</p>
${group.entries.map((entry) => operationHtml(entry, around)).join('\n')}
</section>`;
}

function operationHtml({ method, path, operation }: Entry, around: Around): string {
  const { document, examples, origin } = around;
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  const media = requestBody?.content['application/json'];
  const example = examples.find(({ hook, kind }) => kind === 'card' && path.endsWith(`-${hook}`));
  return `<article id="${slug(operationId)}">
<h3><span class="m ${method}">${method.toUpperCase()}</span> <code>${escapeHtml(path)}</code></h3>
<p class="lead">${escapeHtml(summary)}</p>
${description === undefined ? '' : paragraphsHtml(description)}
${method === 'post' && !example ? '' : `<pre tabindex="0"><code>${linesHtml(curl(path, example, origin))}</code></pre>`}
${parameters.length === 0 && !media ? '' : '<h4>Request</h4>'}
${parameters.map(({ name, description: says }) => `<p><code>${escapeHtml(name)}</code>: ${escapeHtml(says)}</p>`).join('\n')}
${media ? mediaHtml(media, document) : ''}
<h4>Answers</h4>
<dl class="answers">
${Object.entries(responses)
  .map(([status, response]) => responseHtml(status, response, around))
  .join('\n')}
</dl>
<p class="more">And the <a href="#errors">errors</a> of any address.</p>
</article>`;
}

function curl(path: string, example: ExampleCall | undefined, origin: string): string {
  if (!example) return `curl ${origin}${path}`;
  return [
    `curl -d @test-bundles/${example.name}.request.json \\`,
    `  -H 'content-type: application/json' -H 'accept-language: en' \\`,
    `  ${origin}${path}`,
  ].join('\n');
}

function mediaHtml({ schema, examples = {} }: Media, document: Document): string {
  const named = schema.$ref?.split('/').at(-1);
  const link = named === undefined ? '' : `<p>Body: <a href="#schema-${slug(named)}">${escapeHtml(named)}</a></p>`;
  return link + examplesHtml(examples, document);
}

function examplesHtml(examples: NonNullable<Media['examples']>, document: Document): string {
  return Object.values(examples)
    .map((given) => resolve(document, given))
    .map(
      ({ summary, value }) =>
        `<details><summary>Example: ${escapeHtml(summary)}</summary><pre tabindex="0"><code>${jsonHtml(value)}</code></pre></details>`,
    )
    .join('\n');
}

function responseHtml(status: string, { description, content = {}, headers = {} }: Response, around: Around): string {
  const { document, anywhere } = around;
  const [media] = Object.values(content);
  if (Number(status) < 400)
    return answerHtml(
      status,
      'fine',
      `<p>${escapeHtml(description)}</p>${headersHtml(headers)}${media ? mediaHtml(media, document) : ''}`,
    );
  const examples = Object.entries(media?.examples ?? {});
  const own = examples.filter(([error]) => !anywhere.has(error));
  const itsOwn = description !== examples.map(([, example]) => resolve(document, example).summary).join(' ');
  if (own.length === 0 && !itsOwn) return '';
  const table = own
    .filter(([, example]) => 'value' in example)
    .map(([, example]) => resolve(document, example).summary);
  const text = table.length > 0 ? table : [description];
  const others = own
    .filter(([, example]) => !('value' in example))
    .map(([error, example]) => [error, example] as const);
  return answerHtml(
    status,
    'failed',
    `${text.map((line) => `<p>${escapeHtml(line)}</p>`).join('')}${headersHtml(headers)}${examplesHtml(Object.fromEntries(others), document)}`,
  );
}

function answerHtml(status: string, kind: 'fine' | 'failed', html: string): string {
  return `<div class="${kind}"><dt>${escapeHtml(status)}</dt><dd>${html}</dd></div>`;
}

function headersHtml(headers: NonNullable<Response['headers']>): string {
  return Object.entries(headers)
    .map(([name, { description }]) => `<p><code>${escapeHtml(name)}</code>: ${escapeHtml(description)}</p>`)
    .join('');
}

/** Every error of the table, with its body. */
function errorsHtml(document: Document, anywhere: Set<string>): string {
  const all = Object.entries(document.components.responses).flatMap(([status, { content = {}, headers = {} }]) =>
    Object.values(content)
      .flatMap(({ examples = {} }) => Object.entries(examples))
      .map(([error, example]) => ({ status, error, headers, ...resolve(document, example) })),
  );
  const rows = all.map(({ status, error, headers, summary, value }) =>
    answerHtml(
      status,
      'failed',
      `<p>${escapeHtml(summary)}${anywhere.has(error) ? ' <span class="any">any address</span>' : ''}</p>${headersHtml(headers)}
<details><summary>Body</summary><pre tabindex="0"><code>${jsonHtml(value)}</code></pre></details>`,
    ),
  );
  return `<section aria-labelledby="errors"><h2 id="errors">Errors</h2>
<p class="lead">Each is a FHIR OperationOutcome. Where more can be said, <code>diagnostics</code> says it.</p>
<article><dl class="answers first">${rows.join('\n')}</dl></article></section>`;
}
