// The catalogues of all texts of the editor: the pages that use it say only which language.
import { ENGLISH } from "./languages/english.js";
import { FRENCH } from "./languages/french.js";
import { INDONESIAN } from "./languages/indonesian.js";
import { PORTUGUESE } from "./languages/portuguese.js";
import { SPANISH } from "./languages/spanish.js";

export const WORDS = { en: ENGLISH, es: SPANISH, fr: FRENCH, pt: PORTUGUESE, id: INDONESIAN };

/** Return `say(name, values)` in a language such as "es-MX"; English if it has no catalogue. */
export function wordsIn(language) {
  const words = WORDS[language] ?? WORDS[language?.split("-")[0]] ?? WORDS.en;
  return (name, values = {}) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}
