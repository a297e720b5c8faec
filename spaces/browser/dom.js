// Elements of the page, files dropped on it, files handed to the visitor, problems shown.
import { t } from "./language.js";
import { plain } from "./problem.js";

export const byId = (id) => document.getElementById(id);

/** Return a new element with these properties and children. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

/** Show what went wrong; without an error, hide the last one. */
export function showProblem(error) {
  const element = byId("problem");
  element.hidden = !error;
  element.textContent = "";
  if (!error) return;
  const { code, where, detail } = error.code ? error : plain(error);
  element.textContent = t(`problem_${code}`, { where, detail });
}

/**
 * Call `use` with the files dropped on the element: [{path, file}], paths beginning with the dropped folder's name.
 */
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

/** Save a file to the visitor's downloads. */
export function download(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Return a time as text: 3,723,400 ms → 1:02:03. */
export function formatTime(ms) {
  const seconds = Math.floor(ms / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${h ? `${h}:${String(m).padStart(2, "0")}` : m}:${String(s).padStart(2, "0")}`;
}
