// The bridge of one part of the page: clicks and changes in HTML that the server wrote go to the server as one event.
// Gradio draws a part anew by replacing its HTML; what had the focus, was typed or unfolded stays.
// Field → what was typed into it, until the server's HTML has it too: an answer to an earlier click may come in between.
const typed = new Map();
const sent = new Set(); // of these fields, those whose change was sent
const folded = new Map();
let focused = null;

const valuesOf = (control) => {
  const values = {};
  const form = document.getElementById(control.dataset.form ?? "") ?? control.closest("form");
  for (const { name, type, value, checked, tagName } of form ? form.elements : []) {
    if (!name || tagName === "BUTTON") continue;
    if (type === "checkbox") {
      values[name] ??= [];
      if (checked) values[name].push(value);
    } else if (type === "radio") {
      if (checked) values[name] = value;
    } else values[name] = value;
  }
  return values;
};

// Requests may arrive in another order than they were sent in: each has a number, of all parts of the page together.
const send = (control, act, value, isChange = false) => {
  window.studioTurn = (window.studioTurn ?? 0) + 1;
  trigger("act", { act, turn: window.studioTurn, isChange, values: { ...valuesOf(control), value } });
};

element.addEventListener("click", (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    navigator.clipboard.writeText(copy.dataset.copy).then(() => (copy.textContent = copy.dataset.done));
    return;
  }
  const button = event.target.closest("button[data-act]");
  if (button) {
    if (!button.dataset.form) for (const { id } of button.closest("form")?.elements ?? []) typed.delete(id);
    send(button, button.dataset.act, button.dataset.value ?? "");
  }
});

// A button that is drawn anew between press and release gets no click from the browser.
let pressed = null;
element.addEventListener("pointerdown", (event) => (pressed = event.target.closest("button[data-act]")));
document.addEventListener("pointerup", (event) => {
  const [before, now] = [pressed, document.elementFromPoint(event.clientX, event.clientY)?.closest("button[data-act]")];
  pressed = null;
  if (before && !before.isConnected && now?.id === before.id && element.contains(now)) now.click();
});

element.addEventListener("change", (event) => {
  const control = event.target.closest("[data-change]");
  if (control) {
    if (control.id === "language") {
      document.cookie = `studio_language=${control.value}; path=/; max-age=31536000; SameSite=strict`;
    }
    sent.add(control.id);
    send(control, control.dataset.change, control.value, true);
  }
});

// Enter in a field presses the button of its form that is meant.
element.addEventListener("submit", (event) => event.preventDefault());
element.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.target.tagName !== "INPUT" || event.target.dataset.change) return;
  if (["checkbox", "radio"].includes(event.target.type)) return;
  event.preventDefault();
  const near = event.target.closest(".rule, .row");
  const form = event.target.closest("form");
  (near?.querySelector("button[data-act]:not([data-act=browse])") ?? form?.querySelector("button.primary"))?.click();
});

let asking;
const preview = (field) => {
  const place = field.closest("form").querySelector(".preview");
  const { project } = element.querySelector(".screen").dataset;
  const asked = { project, what: field.dataset.preview, by: field.value, language: element.querySelector(".screen").lang };
  server.preview_rule(asked).then((html) => {
    if (place.isConnected && field.value === asked.by) place.innerHTML = html;
  });
};
element.addEventListener("input", (event) => {
  const { id, type, value } = event.target;
  if (type === "text") {
    typed.set(id, value);
    sent.delete(id);
  }
  if (event.target.dataset.preview === undefined) return;
  clearTimeout(asking);
  asking = setTimeout(preview, 150, event.target);
});
element.addEventListener("focusin", (event) => {
  focused = event.target.id || null;
  if (event.target.dataset.preview !== undefined) preview(event.target);
});
element.addEventListener("focusout", (event) => {
  // What was typed before the part was drawn anew is no change to the browser.
  const { id, dataset, value, isConnected } = event.target;
  if (isConnected && dataset.change && typed.get(id) === value && !sent.has(id)) {
    sent.add(id);
    send(event.target, dataset.change, value, true);
  }
  if (event.target.isConnected && event.relatedTarget) focused = null;
});
element.addEventListener("toggle", ({ target }) => target.id && folded.set(target.id, target.open), true);

let step;
watch("value", () => {
  const main = element.querySelector(".screen");
  if (main) {
    const moved = step !== undefined && step !== main.dataset.step;
    step = main.dataset.step;
    window.studioWords = main.dataset;
    document.documentElement.lang = main.lang;
    const { project, document: transcript } = main.dataset;
    const place = new URLSearchParams({ project, step, ...(transcript && { document: transcript }) });
    history.replaceState(null, "", `?${place}`);
    document.title = `${main.querySelector("h1").textContent} · Studio`;
    if (moved) {
      typed.clear();
      folded.clear();
      window.scrollTo(0, 0);
      const heading = main.querySelector("h1");
      heading.tabIndex = -1;
      heading.focus();
      return;
    }
  }
  for (const [id, open] of folded) {
    const details = document.getElementById(id);
    if (details && details.open !== open) details.open = open;
  }
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (!field || !element.contains(field)) continue;
    if (field.value === value) typed.delete(id);
    else field.value = value;
  }
  const again = focused && document.getElementById(focused);
  if (again && element.contains(again) && document.activeElement !== again) again.focus({ preventScroll: true });
});
