// The language of the page: messages, and which catalogue of messages.js is used.
import { chooseLanguage, MESSAGES } from "./messages.js";

const STORED = "language";
let language = chooseLanguage(MESSAGES, [localStorage.getItem(STORED), ...navigator.languages]);

/** Return the message of that name in the page's language, its {placeholders} filled. */
export function t(name, values = {}) {
  const message = MESSAGES[language][name] ?? MESSAGES[language].problem_unexpected;
  return message.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "").trim();
}

export const currentLanguage = () => language;

/** Use another catalogue, also on later visits. */
export function setLanguage(code) {
  language = code;
  localStorage.setItem(STORED, code);
}
