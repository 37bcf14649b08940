import { escapeHtml } from '../report/markup.ts';
import { type Block, columns, page } from '../report/page.ts';
import { type Document, type Media, type Operation, type Response, resolve } from './document.ts';
import type { ExampleCall } from './examples.ts';
import { fieldsOf } from './fields.ts';

type Entry = { method: string; path: string; operation: Operation };

/** The API description as a page. `origin` is the address of the service. */
export function referencePage(document: Document, examples: ExampleCall[], origin: string): string {
  const { info, tags, components } = document;
  const entries = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]): Entry => ({ method: method.toUpperCase(), path, operation })),
  );
  const sections = [
    ...tags.map(({ name, description }) => ({
      heading: name,
      id: name.toLowerCase(),
      blocks: [
        { paragraph: description },
        ...entries
          .filter(({ operation }) => operation.tags.includes(name))
          .flatMap((entry) => operationBlocks(entry, document, curl(entry, examples, origin))),
      ],
    })),
    {
      heading: 'Errors',
      id: 'errors',
      blocks: [
        { paragraph: 'Each is a FHIR OperationOutcome. Where more can be said, its diagnostics say it.' },
        answersTable('All errors', components.responses),
      ],
    },
    {
      heading: 'Schemas',
      id: 'schemas',
      blocks: Object.entries(components.schemas).flatMap(([name, schema]): Block[] => [
        { markup: { html: `<h3 id="schema-${name}"><code>${name}</code></h3>` } },
        {
          table: {
            caption: `Fields of ${name}`,
            columns: columns(['field', 'type', 'what it is']),
            rows: fieldsOf(schema),
          },
        },
      ]),
    },
  ];
  const ways = [
    ...sections.map(({ heading, id }) => ({ href: `#${id}`, text: heading })),
    { href: 'openapi.json', text: `openapi.json (OpenAPI ${document.openapi})` },
    { href: '/', text: 'Workbench' },
  ];
  const links = ways.map(({ href, text }) => `<a href="${href}">${escapeHtml(text)}</a>`);
  return page({
    language: 'en',
    title: `${info.title} API`,
    subtitle: `Version ${info.version} at ${origin}`,
    nav: { html: `<nav class="ways" aria-label="Contents">${links.join('\n')}</nav>` },
    sections: [
      { heading: 'What it is', blocks: info.description.split('\n\n').map((paragraph) => ({ paragraph })) },
      ...sections,
    ],
  });
}

function operationBlocks({ method, path, operation }: Entry, document: Document, command: string | undefined): Block[] {
  const { operationId, summary, description, parameters = [], requestBody, responses } = operation;
  const name = `${method} ${path}`;
  const sent = requestBody?.content['application/json'];
  const answered = Object.values(responses).flatMap(({ content }) => content?.['application/json'] ?? []);
  return [
    { markup: { html: `<h3 id="${operationId}"><code>${escapeHtml(name)}</code></h3>` } },
    { paragraph: summary },
    ...(description === undefined ? [] : [{ paragraph: description }]),
    ...(command === undefined ? [] : [{ markup: { html: preformatted(command) } }]),
    ...(parameters.length === 0
      ? []
      : [{ list: parameters.map((one) => `${one.name} (${one.in}): ${one.description}`) }]),
    { markup: { html: sent ? `<p>Body: ${linkTo(sent)}</p>${examplesHtml(sent, 'request', document)}` : '' } },
    answersTable(`Answers to ${name}`, responses),
    { markup: { html: answered.map((media) => examplesHtml(media, 'answer', document)).join('\n') } },
  ];
}

function answersTable(caption: string, responses: Record<string, Response>): Block {
  const rows = Object.entries(responses).map(([status, { description, headers = {}, content = {} }]) => [
    status,
    [description, ...Object.entries(headers).map(([name, header]) => `${name}: ${header.description}`)].join(' '),
    Object.values(content)[0]?.schema.$ref?.split('/').at(-1),
  ]);
  return { table: { caption, columns: columns(['status', 'what it says', 'body']), rows } };
}

/** Only test bundles: the examples of errors add nothing to the table. */
function examplesHtml({ examples = {} }: Media, what: string, document: Document): string {
  return Object.values(examples)
    .filter((example) => '$ref' in example || what === 'request')
    .map((example) => resolve(document, example))
    .map(({ summary, value }) => {
      const json = preformatted(JSON.stringify(value, undefined, 2));
      return `<details><summary>Example of the ${what}: ${escapeHtml(summary)}</summary>${json}</details>`;
    })
    .join('\n');
}

function linkTo({ schema }: Media): string {
  const name = schema.$ref?.split('/').at(-1) ?? '';
  return `<a href="#schema-${name}">${name}</a>`;
}

/** A call that works, if there is one. */
function curl({ method, path }: Entry, examples: ExampleCall[], origin: string): string | undefined {
  if (method === 'GET') return `curl ${origin}${path}`;
  const example = examples.find(({ hook, kind }) => kind === 'card' && path.endsWith(`-${hook}`));
  return (
    example &&
    [
      `curl -d @test-bundles/${example.name}.request.json \\`,
      `  -H 'content-type: application/json' -H 'accept-language: en' \\`,
      `  ${origin}${path}`,
    ].join('\n')
  );
}

/** Line by line, because `escapeHtml` joins lines. */
function preformatted(text: string): string {
  return `<pre tabindex="0"><code>${text.split('\n').map(escapeHtml).join('\n')}</code></pre>`;
}
