/** Functions of facts besides those of FHIRPath, with their meaning. */
export const ownFunctions: Record<string, string> = {
  'memberOf(list)': 'true where any item of the input stands in the list or class',
  'onOrBefore(day)':
    'true where any date of the input lies on or before the day; a date known by its month or year lies there only if all of its days do',
  'onOrAfter(day)': 'the same, on or after',
  'before(day)': 'the same, before',
  'after(day)': 'the same, after',
  'plusDays(days)': 'the day so many days later, counted from the last that the date may mean',
  'minusDays(days)': 'the day so many days earlier',
  'plusMonths(months)': 'the day so many calendar months later; the last day of a shorter month',
  'minusMonths(months)': 'the day so many calendar months earlier',
  'within(drafts)':
    'treatments that count from today on or, where drafts are given, on a day of theirs, each with its degree there: taken, presumed or possible',
  'strictly(drafts)': 'the same, without what goes on only between two supplies',
  'cleared(drafts)': 'the same as strictly, and for as long as the product matters after its last dose',
  'together(others)':
    'pairs (one, other, degree) of the input and of the others whose periods share a day from today on',
  'togetherOrCleared(others)': 'the same, or one ended before, and what it does after its last dose reaches the other',
  'togetherOrAfter(others, days)': 'the same as together, or one ended at most so many days before',
  'use(gapDays)': 'use over time: courses (start, end, drugs) of supplies; so many days without supply break none',
  'startingAnew(treatments)': 'drafts that continue none of the treatments',
  'since(day)': 'treatments that were, or may have been, taken on or after the day and began no later than today',
  'during(treatments)': 'results of a day on which one of the treatments was taken or presumed',
  'sharing(field, others)': 'items that share a value of the field with any of the others',
  'spanDays()': 'days from the first to the last of the dates',
  'newest()':
    'of results that answer the same question the newest that says anything; of two at one moment the positive one',
};

/** Our own functions used in the expressions, as a Markdown list; empty if there are none. */
export function functionsIn(texts: string[]): string {
  const called = Object.keys(ownFunctions).filter((signature) => {
    const call = new RegExp(`\\b${nameOf(signature)}\\s*\\(`);
    return texts.some((text) => call.test(text));
  });
  return called.map((signature) => `- \`${signature}\`: ${ownFunctions[signature]}`).join('\n');
}

/** `together` of `together(others)`. */
export function nameOf(signature: string): string {
  return signature.slice(0, signature.indexOf('('));
}
