// Whether the server answers. After another start of it the page is loaded anew, with what was typed into it.
const EVERY_MS = 2000;
const PATIENCE_MS = 5000; // a server that is stopped takes requests and never answers
const LOOK_MS = 100;
const KEPT_MS = 20_000;
const KEPT = "studio-typed";

let start; // of the server that this page is of

/** Return what is wrong, in words, or the empty string. */
async function problem() {
  try {
    const answer = await fetch("/alive", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.status === 403) return window.studioWords?.other ?? "";
    const now = answer.headers.get("x-start");
    start ??= now;
    if (now !== start && !document.querySelector("studio-transcript")?.unsaved) location.reload();
    return "";
  } catch {
    return window.studioWords?.gone ?? "";
  }
}

// Gradio tells a server that is gone by its own errors, one each second and a half: this says what it means.
async function look() {
  const text = await problem();
  let bar = document.getElementById("gone");
  if (!text) bar?.remove();
  else {
    if (!bar) {
      bar = document.createElement("div");
      bar.id = "gone";
      bar.setAttribute("role", "alert");
      document.body.prepend(bar);
    }
    if (bar.textContent !== text) bar.textContent = text;
  }
  setTimeout(look, EVERY_MS);
}
look();

const isToken = (text) => /^\s*hf_/.test(text); // kept nowhere; acts.py refuses the same

// The server knows nothing yet of what is being typed; a page that is loaded again has it from the tab.
addEventListener("pagehide", () => {
  const fields = [...document.querySelectorAll("#studio input[type=text]")];
  const typed = fields.filter((field) => field.id && field.value !== (field.getAttribute("value") ?? "") && !isToken(field.value));
  const kept = { place: location.search, typed: typed.map(({ id, value }) => [id, value]) };
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
});
const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
sessionStorage.removeItem(KEPT);
if (kept?.place === location.search) {
  const waiting = new Map(kept.typed);
  const until = performance.now() + KEPT_MS;
  const fill = () => {
    // With its words the page has the handlers of its fields, too.
    for (const [id, value] of window.studioWords ? waiting : []) {
      const field = document.getElementById(id);
      if (!field) continue;
      waiting.delete(id);
      field.value = value;
      for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
    }
    if (waiting.size && performance.now() < until) setTimeout(fill, LOOK_MS);
  };
  fill();
}
