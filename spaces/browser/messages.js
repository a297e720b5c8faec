// The catalogues of all texts of the pages. To add a language, add one with the same names to languages/: the pages offer
// it, and choose it for visitors whose browser prefers it.
import { ENGLISH } from "./languages/english.js";
import { FRENCH } from "./languages/french.js";
import { INDONESIAN } from "./languages/indonesian.js";
import { PORTUGUESE } from "./languages/portuguese.js";
import { SPANISH } from "./languages/spanish.js";

export const MESSAGES = { en: ENGLISH, es: SPANISH, fr: FRENCH, pt: PORTUGUESE, id: INDONESIAN };

/**
 * Return the code of the first preferred language that has a catalogue, else "en".
 * @param {Record<string, object>} catalogues
 * @param {(string | null)[]} preferred codes such as "es" or "es-MX", best first
 */
export function chooseLanguage(catalogues, preferred) {
  const codes = Object.keys(catalogues);
  for (const wanted of preferred) {
    const code = codes.find((own) => own === wanted) ?? codes.find((own) => own === wanted?.split("-")[0]);
    if (code) return code;
  }
  return "en";
}
