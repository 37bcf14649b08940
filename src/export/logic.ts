import type { Expression } from 'fhir/r4.js';

export const FHIRPATH = 'text/fhirpath';

/** "It holds if it is true or non-empty", as FHIRPath. */
export function holds(fact: string): string {
  return `%${fact}.exists($this != false)`;
}

/** A FHIRPath expression of a rule; its `%` names are in the guideline's Library. */
export function expressionOf(library: string, expression: string, description?: string): Expression {
  return { ...(description !== undefined && { description }), language: FHIRPATH, expression, reference: library };
}

/** A parameter's value as FHIRPath. */
export function literal(value: number | number[]): string {
  return [value].flat().join(' | ');
}

/** Words as a list in a sentence. */
export function listed(words: string[], conjunction: 'and' | 'or'): string {
  return new Intl.ListFormat('en-GB', { type: conjunction === 'and' ? 'conjunction' : 'disjunction' }).format(words);
}
