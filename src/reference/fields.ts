import { escapeHtml } from '../report/markup.ts';
import { type Document, resolve, type Schema } from './document.ts';
import { slug } from './html.ts';

/** A field of a body, however deep. */
type Field = { path: string; depth: number; type: string; link?: string; required: boolean; description: string };

/** The fields of a schema in order; another named schema is linked and not opened. */
function fieldsOf(document: Document, schema: Schema, prefix = '', depth = 0): Field[] {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const field = { path: `${prefix}${name}`, depth, required: required.has(name) };
    const description = property.description ?? '';
    const inner = innerOf(property);
    const list = inner.list ? ' list' : '';
    if (inner.schema.$ref) {
      const named = inner.schema.$ref.split('/').at(-1) as string;
      return [{ ...field, type: `${named}${list}`, link: named, description }];
    }
    const told = inner.schema.description && inner.schema !== property ? ` ${inner.schema.description}` : '';
    const type = `${typeOf(inner.schema)}${list}`;
    const under = fieldsOf(
      document,
      resolve(document, inner.schema),
      `${field.path}${inner.list ? '[]' : ''}.`,
      depth + 1,
    );
    return [{ ...field, type, description: `${description}${told}`.trim() }, ...under];
  });
}

/** What a list holds, or a value that may be null is. */
function innerOf(schema: Schema): { schema: Schema; list: boolean } {
  const [only, ...others] = (schema.anyOf ?? []).filter(({ type }) => type !== 'null');
  if (only && others.length === 0) return innerOf(only);
  const item = schema.items ?? (schema['contains'] as Schema | undefined);
  if (schema.type === 'array' && item) return { schema: innerOf(item).schema, list: true };
  return { schema, list: false };
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.$ref) return schema.$ref.split('/').at(-1) as string;
  if (schema.anyOf) {
    const types = schema.anyOf.map((one) => {
      const { schema: inner, list } = innerOf(one);
      return `${typeOf(inner)}${list ? ' list' : ''}`;
    });
    return [...new Set(types)].join(' or ');
  }
  const type = [schema.type ?? 'any']
    .flat()
    .filter((name) => name !== 'null')
    .join(' or ');
  return schema.format ? `${type} (${schema.format})` : type;
}

/** A path whose last part stands out, and which may break at its dots. */
function pathHtml(path: string): string {
  const at = path.lastIndexOf('.') + 1;
  const before = escapeHtml(path.slice(0, at)).replaceAll('.', '.<wbr>');
  return `${before === '' ? '' : `<span>${before}</span>`}${escapeHtml(path.slice(at))}`;
}

/** A table of a schema's fields. */
export function fieldsHtml(document: Document, schema: Schema, caption: string): string {
  const alternatives = (schema.anyOf ?? []).filter(({ properties }) => properties);
  const fields = fieldsOf(document, schema);
  if (fields.length === 0 && alternatives.length > 0)
    return alternatives.map((one, at) => fieldsHtml(document, one, `${caption}, form ${at + 1}`)).join('\n');
  const rows = fields.map(
    ({ path, depth, type, link, required, description }) =>
      `<tr><th scope="row" class="d${Math.min(depth, 4)}"><code>${pathHtml(path)}</code>${required ? ' <b>required</b>' : ''}</th>` +
      `<td>${link ? `<a href="#schema-${slug(link)}">${escapeHtml(type)}</a>` : `<span>${escapeHtml(type)}</span>`}</td>` +
      `<td>${escapeHtml(description)}</td></tr>`,
  );
  const id = slug(caption);
  return `<div class="scroll" role="region" aria-labelledby="t-${id}" tabindex="0"><table>
<caption id="t-${id}">${escapeHtml(caption)}</caption>
<thead><tr><th scope="col">field</th><th scope="col">type</th><th scope="col">what it is</th></tr></thead>
<tbody>${rows.join('\n')}</tbody>
</table></div>`;
}
