/** The languages that every card is written in: Swedish, Norwegian (nb), Danish, English. */
export const languages = ['sv', 'nb', 'da', 'en'] as const;
export type Language = (typeof languages)[number];
/** One text in every language. */
export type Texts = Record<Language, string>;

/** Locales for dates and lists. British English, because the readers are European. */
export const locales: Record<Language, string> = { sv: 'sv-SE', nb: 'nb-NO', da: 'da-DK', en: 'en-GB' };
