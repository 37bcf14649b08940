/** Functions of facts besides those of FHIRPath, with their meaning. */
export const ownFunctions: Record<string, string> = {
  'memberOf(list)': 'true if any item of the input is in the list or class',
  'onOrBefore(day)':
    'true if any date of the input is on or before the day; a date known by its month or year only if all of its days are',
  'onOrAfter(day)': 'the same, on or after',
  'before(day)': 'the same, before',
  'after(day)': 'the same, after',
  'plusDays(days)': 'the day this many days later, counted from the last day that the date may mean',
  'minusDays(days)': 'the day this many days earlier',
  'plusMonths(months)': 'the day this many calendar months later, or the last day of a shorter month',
  'minusMonths(months)': 'the day this many calendar months earlier',
  'within(drafts)':
    'treatments that count from today on or, with drafts, on a day of theirs, each with its degree on those days: taken, presumed or possible',
  'strictly(drafts)': 'the same, without treatments presumed only between two supplies',
  'cleared(drafts)': 'like strictly, extended by the time for which the product matters after its last dose',
  'together(others)':
    'pairs (one, other, degree) from the input and the others whose periods share a day, from today on',
  'togetherOrCleared(others)': 'the same, or one ended before and its effect after the last dose reaches the other',
  'togetherOrAfter(others, days)': 'like together, or one ended at most so many days before',
  'use(gapDays)': 'use over time: courses (start, end, drugs) of supplies, despite gaps of up to so many days',
  'startingAnew(treatments)': 'drafts that do not continue any of the treatments',
  'since(day)': 'treatments that were, or may have been, taken on or after the day and began today or earlier',
  'during(treatments)': 'results of days on which one of the treatments was taken or presumed',
  'sharing(field, others)': 'items that share a value of the field with any of the others',
  'spanDays()': 'days from the first to the last of the dates',
  'newest()': 'for each question the newest result with a meaning; of two at one time the positive one',
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
