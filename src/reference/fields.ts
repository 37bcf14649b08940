import type { Schema } from './document.ts';

/** A field of a body at any depth: its path (`cards[].summary`), its type in words, and its description. */
type Field = [path: string, type: string, description: string];

/** The fields of a schema in order. Named schemas are described separately, alternatives one by one. */
export function fieldsOf(schema: Schema, prefix = ''): Field[] {
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, property]): Field[] => {
    const { schema: inner, list } = innerOf(property);
    const path = `${prefix}${name}${list ? '[]' : ''}`;
    const descriptions = [property.description, inner === property ? undefined : inner.description];
    const field: Field = [
      schema.required?.includes(name) ? `${path} (required)` : path,
      typeOf(inner),
      descriptions.filter((text) => text !== undefined).join(' '),
    ];
    return [field, ...fieldsOf(inner, `${path}.`)];
  });
  const alternatives = prefix === '' ? (schema.anyOf ?? []) : [];
  return [...own, ...alternatives.flatMap((one) => fieldsOf(one))];
}

/** The item of a list, or the value of a nullable type. */
function innerOf(schema: Schema): { schema: Schema; list: boolean } {
  const [only, ...others] = (schema.anyOf ?? []).filter(({ type }) => type !== 'null');
  if (only && others.length === 0) return innerOf(only);
  const item = schema.items ?? (schema['contains'] as Schema | undefined);
  return schema.type === 'array' && item ? { schema: innerOf(item).schema, list: true } : { schema, list: false };
}

function typeOf(schema: Schema): string {
  const { $ref, anyOf, const: only, enum: some, format, type = 'any' } = schema;
  if ($ref !== undefined) return $ref.split('/').at(-1) as string;
  if (anyOf) return [...new Set(anyOf.map((one) => typeOf(innerOf(one).schema)))].join(' or ');
  const values = only === undefined ? some : [only];
  if (values) return values.map((value) => JSON.stringify(value)).join(' or ');
  const types = [type].flat().filter((name) => name !== 'null');
  return `${types.join(' or ')}${format === undefined ? '' : ` (${format})`}`;
}
