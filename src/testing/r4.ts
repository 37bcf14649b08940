import r4 from 'fhirpath/fhir-context/r4';

/** Tables of fhirpath.js: the type of each element of FHIR R4, and which elements are lists. */
const { path2Type, path2Repeating, pathsDefinedElsewhere } = r4 as unknown as {
  path2Type: Record<string, string>;
  path2Repeating: Record<string, boolean>;
  pathsDefinedElsewhere: Record<string, string>;
};

const DATE = /^\d{4}(-\d{2}(-\d{2})?)?$/;
const primitives: Record<string, (value: unknown) => boolean> = {
  boolean: (value) => typeof value === 'boolean',
  decimal: Number.isFinite,
  integer: Number.isInteger,
  positiveInt: (value) => Number.isInteger(value) && (value as number) > 0,
  unsignedInt: (value) => Number.isInteger(value) && (value as number) >= 0,
  date: (value) => DATE.test(String(value)),
  dateTime: (value) => DATE.test(String(value)) || isInstant(value),
  instant: isInstant,
};

/** Where a resource is not of FHIR R4's shape: unknown elements, wrong types, lists that are none, empty values. */
export function notR4(resource: unknown): string[] {
  const problems: string[] = [];
  walkObject(resource, typeOf(resource), problems);
  return problems;
}

function walkObject(value: unknown, path: string, problems: string[]): void {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    problems.push(`${path}: no object with elements`);
    return;
  }
  for (const [key, child] of Object.entries(value)) {
    if (key === 'resourceType' || key.startsWith('_')) continue;
    const element = pathsDefinedElsewhere[`${path}.${key}`] ?? `${path}.${key}`;
    const type = path2Type[element];
    if (type === undefined) problems.push(`${element}: no element`);
    else if (Array.isArray(child) !== (path2Repeating[element] === true)) problems.push(`${element}: list or not`);
    else for (const item of [child].flat()) walk(item, type, element, problems);
  }
}

function walk(value: unknown, type: string, element: string, problems: string[]): void {
  if (type === 'Resource') walkObject(value, typeOf(value), problems);
  else if (type === 'Element' || type === 'BackboneElement') walkObject(value, element, problems);
  else if (/^[A-Z]/.test(type) && !type.startsWith('System.')) walkObject(value, type, problems);
  else if (!(primitives[type] ?? isText)(value)) problems.push(`${element}: no ${type}`);
}

function typeOf(resource: unknown): string {
  return String((resource as { resourceType?: unknown } | null)?.resourceType);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isInstant(value: unknown): boolean {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(String(value));
}
