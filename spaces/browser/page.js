// What both pages share: the language, problems, files that are dropped, downloads.
import { MESSAGES } from "./messages.js";
import { plain } from "./problem.js";

const PAGES = { transcribe: "index.html", prepare: "prepare.html" };
const KEPT = "language";
let language = localStorage.getItem(KEPT) ?? (navigator.language.startsWith("es") ? "es" : "en");

/** The message of that name in the visitor's language, its {placeholders} filled. */
export function t(name, values = {}) {
  const message = MESSAGES[language][name] ?? MESSAGES[language].unexpected;
  return message.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

export const byId = (id) => document.getElementById(id);

/** An element with these properties and children. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Put the way to the other page, and the choice of a language, above this page. */
function addHeader() {
  const links = Object.entries(PAGES).map(([name, href]) => {
    const link = make("a", { href });
    link.dataset.t = name;
    if (link.pathname === location.pathname.replace(/\/$/, "/index.html")) link.ariaCurrent = "page";
    return link;
  });
  const select = make("select", { id: "language", ariaLabel: "Language · Idioma" });
  select.append(...Object.keys(MESSAGES).map((code) => new Option(MESSAGES[code].language, code)));
  document.body.prepend(make("header", {}, make("nav", {}, ...links), select));
  return select;
}

/** Show the page, under its header, in the visitor's language, now and when another is chosen. */
export function speak(again = () => {}) {
  const select = addHeader();
  const show = () => {
    document.documentElement.lang = select.value = language;
    for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
    again();
  };
  select.onchange = () => {
    language = select.value;
    localStorage.setItem(KEPT, language);
    show();
  };
  show();
}

/** Say what went wrong, or with nothing that all is well. */
export function showProblem(error) {
  const element = byId("problem");
  element.hidden = !error;
  if (!error) return;
  const { code, where, detail } = error.code ? error : plain(error);
  element.textContent = t(`problem_${code}`, { where, detail });
}

/** Files dropped on the element, those in folders with their paths there. */
export function onDrop(element, use) {
  element.ondragover = (event) => {
    event.preventDefault();
    element.classList.add("over");
  };
  element.ondragleave = () => element.classList.remove("over");
  element.ondrop = async (event) => {
    event.preventDefault();
    element.classList.remove("over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
    use((await Promise.all(entries.map(filesOf))).flat());
  };
}

async function filesOf(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ path: entry.fullPath.slice(1), file }];
  }
  const reader = entry.createReader();
  const entries = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // 100 at a time
    if (!some.length) break;
    entries.push(...some);
  }
  return (await Promise.all(entries.map(filesOf))).flat();
}

/** Hand a file to the visitor. */
export function download(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** 3,723,400 ms → 1:02:03. */
export function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${h ? `${h}:${String(m).padStart(2, "0")}` : m}:${String(s).padStart(2, "0")}`;
}

navigator.serviceWorker?.register("sw.js").catch(() => {}); // without it the page needs the network, no more
