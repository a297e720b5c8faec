// The bridge between the page and its server: clicks and changes go there, one after the other, and the HTML that comes
// back is shown. What is typed, unfolded or in focus stays, because elements that are in the old HTML and the new stay.
import { morph } from "./morph.js";

const EVERY_MS = 1500; // between looks at what has changed by itself

/**
 * @param {HTMLElement} element of Gradio's page, holding #steps, #screen and #live
 * @param {{ask: (asked: object) => Promise<object>, preview_rule: (asked: object) => Promise<string>}} server
 */
export function start(element, server) {
  const tab = crypto.randomUUID();
  const unseen = new Map(); // field → number of the request that tells the server what is in it; Infinity: none yet
  const clicked = new Set(); // buttons whose click is not answered yet
  let waiting = Promise.resolve();
  let sent = 0; // requests
  let shown = 0; // the server's number of the last answer that is shown
  let looking;
  let step;

  // Each request waits for the answer to the one before: the server sees them in order, and no answer is out of date.
  const ask = (act, values = {}, isChange = false) => {
    clearTimeout(looking);
    const number = ++sent;
    return (waiting = waiting.then(async () => {
      const place = Object.fromEntries(new URLSearchParams(location.search));
      const once = () => server.ask({ tab, shown, place, act, values }).catch(() => undefined); // alive.js tells it
      let answer = await once();
      while (!answer && isChange) {
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS)); // what was typed is not lost
        answer = await once();
      }
      if (!answer) for (const [field, at] of unseen) if (at === number) unseen.set(field, Infinity);
      try {
        if (answer) show(answer, number);
      } catch (error) {
        reportError(error); // the next request is to be sent all the same
      }
      if (number === sent) looking = setTimeout(ask, EVERY_MS, "");
    }));
  };

  const show = (answer, number) => {
    for (const [field, at] of unseen) if (at <= number || !field.isConnected) unseen.delete(field);
    const isFree = (field) => !unseen.has(field);
    const main = answer.screen && parsed(answer.screen);
    const moved = main && step !== undefined && step !== main.dataset.step;
    for (const name of ["steps", "screen", "live"]) {
      if (answer[name] === undefined) continue;
      const part = document.getElementById(name);
      if (moved && name !== "steps") part.replaceChildren(); // nothing of another step stays
      morph(part, answer[name], isFree);
    }
    shown = answer.number;
    if (main) at(main, moved);
  };

  const at = (main, moved) => {
    step = main.dataset.step;
    window.studioWords = main.dataset;
    document.documentElement.lang = main.lang;
    const { project, document: transcript } = main.dataset;
    const place = new URLSearchParams({ project, step, ...(transcript && { document: transcript }) });
    history.replaceState(null, "", `?${place}`);
    const heading = element.querySelector("#screen h1");
    document.title = `${heading.textContent} · Studio`;
    if (!moved) return;
    window.scrollTo(0, 0);
    heading.tabIndex = -1;
    heading.focus();
  };

  const send = (control, act, value, isChange = false) => {
    const form = control.closest("form");
    const number = sent + 1; // of this request
    for (const field of form?.elements ?? [control]) if (unseen.has(field)) unseen.set(field, number);
    return ask(act, { ...valuesOf(form), value }, isChange);
  };

  element.addEventListener("click", (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      navigator.clipboard.writeText(copy.dataset.copy).then(() => (copy.textContent = copy.dataset.done));
      return;
    }
    const button = event.target.closest("button[data-act]");
    // A double click is one, also where the answer to its first half has put another button there.
    if (!button || clicked.has(button) || event.detail > 1) return;
    clicked.add(button);
    send(button, button.dataset.act, button.dataset.value ?? "").finally(() => clicked.delete(button));
  });

  element.addEventListener("input", ({ target }) => {
    const { form, name, type } = target;
    const group = form && type === "radio" ? [...form.elements].filter((field) => field.name === name) : [target];
    for (const field of group) unseen.set(field, Infinity);
    if (target.dataset.preview !== undefined) previewSoon(target);
  });

  element.addEventListener("change", ({ target }) => {
    const control = target.closest("[data-change]");
    if (control?.id === "language") {
      document.cookie = `studio_language=${control.value}; path=/; max-age=31536000; SameSite=strict`;
    }
    if (control) send(control, control.dataset.change, control.value, true);
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

  // What a rule would do is shown while its field has the focus, or something in it.
  let asking;
  const isMeant = (field) => field.isConnected && (field.value || field.form.contains(document.activeElement));
  const preview = (field) => {
    const place = field.form.querySelector(".preview");
    const { lang, dataset } = element.querySelector(".screen");
    const asked = { project: dataset.project, what: field.dataset.preview, by: field.value, language: lang };
    server.preview_rule(asked).then((html) => {
      if (isMeant(field) && field.value === asked.by) place.innerHTML = html;
    });
  };
  const previewSoon = (field) => {
    clearTimeout(asking);
    asking = setTimeout(() => isMeant(field) && preview(field), 150);
  };
  element.addEventListener("focusin", ({ target }) => target.dataset.preview !== undefined && previewSoon(target));
  element.addEventListener("focusout", ({ target, relatedTarget }) => {
    const form = target.closest(".rule");
    const field = form?.querySelector("[data-preview]");
    if (field && !form.contains(relatedTarget) && !field.value) form.querySelector(".preview").replaceChildren();
  });

  ask("");
}

const parsed = (html) => {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content.querySelector(".screen");
};

const valuesOf = (form) => {
  const values = {};
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
