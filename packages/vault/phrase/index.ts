/** Recovery phrases: a recovery code as words, apart from the rest because of its list of words. */
export { createRecoveryPhrase, parseRecoveryPhrase, spellPhrase } from './phrase.ts';
export { WORDS } from './words.ts';
