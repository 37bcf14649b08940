/**
 * Reading untrusted JSON: any value may have another type than the specification promises, so every function returns
 * nothing instead of throwing (conformance R10, H10).
 */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export type JsonObject = { [key: string]: Json | undefined };
/** A FHIR resource as received. Only its type is known; read every other element with care. */
export type Resource = JsonObject & { resourceType: string };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isResource(value: unknown): value is Resource {
  return isObject(value) && typeof value['resourceType'] === 'string' && value['resourceType'] !== '';
}

export function object(value: unknown): JsonObject {
  return isObject(value) ? value : NOTHING;
}

/** Frozen, because it is shared. */
const NOTHING: JsonObject = Object.freeze({});

/** The items of a list; a single object in place of a list counts as one item (conformance H10). */
export function objects(value: unknown): JsonObject[] {
  if (value === undefined) return NONE;
  if (Array.isArray(value)) return value.every(isObject) ? (value as JsonObject[]) : value.filter(isObject);
  return isObject(value) ? [value] : NONE;
}

const NONE: JsonObject[] = [];

export function string(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

export function number(value: unknown): number | undefined {
  if (value instanceof Decimal) return value.valueOf();
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The value of a JSON text; undefined if it is not valid. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A number whose digits differ from those that JavaScript would write: 1.50 states a precision of two decimals. */
class Decimal extends Number {
  readonly digits: string;
  constructor(digits: string) {
    super(digits);
    this.digits = digits;
  }
  toJSON(): unknown {
    return exactJson.rawJSON(this.digits);
  }
}

/** In the language since ES2026, but not yet in TypeScript's library. */
const exactJson = JSON as unknown as {
  rawJSON: (text: string) => unknown;
  parse: (text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown) => unknown;
};

/**
 * Parses JSON so that unchanged numbers are written back digit by digit. It is several times slower than plain parsing,
 * so use it only for what goes back to the sender. Read such numbers with `number`.
 */
export function parseExactly(text: string): unknown {
  return exactJson.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? new Decimal(source) : value,
  );
}

/**
 * Whether JSON may have a number written differently from JavaScript's form: with trailing zeros, an exponent, too many
 * digits, or close to zero. True for some texts that only look like it.
 */
export function mayHaveExactNumbers(json: string): boolean {
  return EXACT.test(json);
}

const END = String.raw`(?=[\s,\]}])`;
const EXACT = new RegExp(
  String.raw`[:,[\s](?:-0(?![.\d])|-?(?:${[
    String.raw`\d{1,25}(?:\.\d{1,25})?[eE]`,
    String.raw`\d{1,25}\.\d{0,25}0${END}`,
    String.raw`0\.0{6}`,
    String.raw`\d{16}`,
    // Long enough to lose digits. With a second dot it is not a number.
    String.raw`(?=[\d.]{16})\d{1,15}\.\d{1,25}(?:\d|${END})`,
  ].join('|')}))`,
);

/** Whether a text is a FHIR id (FHIR R4: Data Types, id), so that it may appear in an address. */
export function isId(text: string): boolean {
  return /^[A-Za-z0-9.-]{1,64}$/.test(text);
}

/** The text of a reference such as `MedicationRequest/x`: relative, absolute, `urn:uuid:`, `#contained` or a bare id. */
export function reference(value: unknown): string | undefined {
  return string(object(value)['reference']);
}

/** What an order says instead of naming its medicine: a reference to a Medication. */
export function medicationPointer(order: Resource): JsonObject | undefined {
  return objects(order['medicationReference'])[0] ?? objects(object(order['medication'])['reference'])[0];
}

/** The last part of a reference: `x` of `https://fhir.example/Patient/x/_history/2`, of `urn:uuid:x`, of `x`. */
export function idOf(ref: string): string {
  const versionless = withoutVersion(ref);
  return versionless.slice(
    Math.max(versionless.lastIndexOf('/'), versionless.lastIndexOf(':'), versionless.lastIndexOf('#')) + 1,
  );
}

/** The type that a reference names: `Patient` of `https://fhir.example/Patient/x/_history/2`; undefined if it names none. */
export function typeOf(ref: string): string | undefined {
  const versionless = withoutVersion(ref);
  const end = versionless.lastIndexOf('/');
  if (end < 0) return undefined;
  const type = versionless.slice(versionless.lastIndexOf('/', end - 1) + 1, end);
  return /^[A-Za-z]+$/.test(type) ? type : undefined;
}

function withoutVersion(ref: string): string {
  return ref.includes('/_history/') ? ref.replace(/\/_history\/[^/]*$/, '') : ref;
}

/**
 * A value from the wire as part of a key. The number 5 and the text "5" give different keys, because a text is not a
 * valid number. Objects are serialised: an object from the wire may have a `toString` that is not a function.
 */
export function keyPart(value: unknown): string {
  if (typeof value === 'string') return `"${value}`;
  return typeof value === 'object' ? JSON.stringify(value) : `${value}`;
}
