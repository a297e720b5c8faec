// The editors of a visitor's recordings, one for each, and the way of their corrections to the server. A classic
// script at the start of the page's head: see page_head.py.
const transcripts = (() => {
  const SEND_AFTER_MS = 600; // without another correction
  const WAIT_MS = 2000; // for the new files' addresses

  const editors = new Map(); // id of a result → {section, editor, places}
  const unsent = new Set(); // ids of results with corrections that the server does not have
  const unsaved = new Set(); // ids of results with corrections that were not downloaded
  let sending; // id of the result whose corrections are on their way
  let shown;
  let timer;
  let waiting; // selector of the download that was asked for while corrections were on their way
  let address; // of the first file at that time
  let again; // whether that download may have the corrections sent once more
  let trigger = () => {};

  /** Call Gradio's event for corrections, for which it asks `take`. */
  function send() {
    clearTimeout(timer);
    if (unsent.size && sending === undefined) trigger("input");
  }

  /** Return JSON of one result's corrections: of segments that are as they were recognised, only their places. */
  function take() {
    const id = unsent.has(shown) ? shown : [...unsent][0];
    if (id === undefined) return "";
    unsent.delete(id);
    sending = id;
    const { editor, places } = editors.get(id);
    const segments = editor.written().map((segment) => places.get(JSON.stringify(segment)) ?? segment);
    return JSON.stringify({ id, segments });
  }

  /** The server has written the files. */
  function kept() {
    sending = undefined;
    if (unsent.size) send();
    else if (waiting) whenRenewed(waiting);
  }

  /** The server has not, and Gradio has told why: the next correction or download tries again. */
  function failed() {
    if (sending !== undefined) unsent.add(sending);
    sending = undefined;
    if (!again) waiting = undefined;
    again = false;
    if (waiting) send();
  }

  /** Click a download once Gradio has put the new files' addresses into the page. */
  function whenRenewed(selector) {
    waiting = undefined;
    const before = address;
    const latest = performance.now() + WAIT_MS;
    const look = () => {
      if (firstAddress() === before && performance.now() < latest) requestAnimationFrame(look);
      else document.querySelector(selector)?.click();
    };
    look();
  }
  const firstAddress = () => document.querySelector("#downloads a")?.href;

  /** Show a recording: in its own editor, which knows what can be undone. `value`: JSON of results.editor_value. */
  async function show(element, value, on) {
    trigger = on;
    if (!value) return;
    await customElements.whenDefined("u2u-editor");
    const { id, name, language, sound, peaks, ...recording } = JSON.parse(value);
    if (id !== shown && unsent.has(shown)) send();
    shown = id;
    for (const { section, editor } of editors.values()) {
      section.hidden = true;
      editor.audio.pause();
    }
    if (!editors.has(id)) {
      const section = document.createElement("section");
      const heading = document.createElement("h2");
      const editor = document.createElement("u2u-editor");
      const entry = { section, editor, places: new Map() };
      editors.set(id, entry);
      heading.textContent = name;
      editor.lang = language;
      section.append(heading, editor);
      element.append(section); // the editor measures its place on the page
      editor.sound = sound;
      editor.open({ ...recording, peaks: peaks.map((row) => Uint8Array.from(atob(row), (c) => c.charCodeAt(0))) });
      for (const [place, segment] of editor.written().entries()) entry.places.set(JSON.stringify(segment), place);
      editor.addEventListener("corrected", () => {
        unsent.add(id);
        unsaved.add(id);
        clearTimeout(timer);
        timer = setTimeout(send, SEND_AFTER_MS);
      });
    }
    editors.get(id).section.hidden = false;
  }

  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.("#downloads a, #eaf");
      if (!link) return;
      if (!unsent.has(shown) && sending !== shown) {
        unsaved.delete(shown);
        return;
      }
      // Not the files as they were before the last corrections.
      event.preventDefault();
      event.stopImmediatePropagation();
      const name = link.getAttribute("download");
      waiting = name === null ? "#eaf" : `#downloads a[download="${CSS.escape(name)}"]`;
      address = firstAddress();
      again = sending !== undefined;
      send();
    },
    true,
  );
  // Before Gradio hears of it: its own listener ends the connection to the server, and with it a running
  // transcription, also for who then stays. Who leaves ends the connection by leaving.
  window.addEventListener("beforeunload", (event) => {
    if (!unsaved.size) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });

  return { show, take, kept, failed };
})();
