// The page that transcribes.
import { byId, make, onDrop, showProblem } from "./dom.js";
import { startPage } from "./header.js";
import { kept } from "./kept.js";
import { t } from "./language.js";
import { startRecording } from "./microphone.js";
import { TranscriptView } from "./transcript.js";

const worker = new Worker(new URL("./transcription-worker.js", import.meta.url), { type: "module" });
const transcripts = [];
let model = { state: "no_model" };

function showModel(change) {
  model = { ...model, ...change };
  const name = model.name?.() ?? "";
  const sentences = [t(model.state, { ...model, name })];
  if (model.state.startsWith("ready")) {
    if (model.withLanguageModel) sentences.push(t("with_language_model"));
    if (model.licence) sentences.push(t("licence", model));
    if (model.uncached) sentences.push(t("uncached"));
  }
  byId("model-state").textContent = sentences.join(" ");
  const bar = byId("model-progress");
  bar.hidden = model.state !== "loading";
  bar.value = model.share ?? 0;
}

/** Load a model. `name` returns what the page calls it, in the language now chosen. */
function load(source, name) {
  showProblem();
  showModel({ state: "loading", name, share: 0, percent: 0 });
  worker.postMessage({ load: source });
}

// Messages about the model; all others are about a recording, and its TranscriptView has a method of their name.
const modelMessages = {
  loading: ({ share }) => showModel({ share, percent: Math.round(share * 100) }),
  ready({ engine, ...found }) {
    showModel({ state: engine, ...found });
    byId("model-choice").open = false;
  },
  problem({ id, problem }) {
    if (id !== undefined) return transcripts[id].fail(problem);
    showProblem(problem);
    showModel({ state: "no_model" });
    byId("model-choice").open = true;
  },
};

worker.onmessage = ({ data }) =>
  (modelMessages[data.kind] ?? ((message) => transcripts[message.id][message.kind](message)))(data);
worker.onerror = (event) => showProblem({ code: "unexpected", detail: event.message });

/** Return the transcript that waits for this file. A copy may have another date, which only decides between two. */
function waitingFor(file) {
  const waiting = transcripts.filter((known) => known.misses(file));
  return waiting.find((known) => known.file.lastModified === file.lastModified) ?? waiting[0];
}

function transcribe(files, recorded = false) {
  for (const file of files) {
    const waiting = waitingFor(file);
    if (waiting) {
      waiting.hear(file);
      waiting.element.scrollIntoView({ block: "nearest" });
      if (waiting.complete) continue;
    }
    const view = new TranscriptView(file, recorded);
    byId("results").append(view.element);
    worker.postMessage({ transcribe: transcripts.push(view) - 1, file });
  }
}

/** Show the corrected transcripts of before a reload. */
async function restore() {
  for (const [transcript, peaks] of await kept()) {
    const name = transcript.file?.name ?? "?";
    const say = (textContent) => byId("results").append(make("p", { textContent }));
    try {
      const view = await TranscriptView.restored(transcript, peaks, byId("results"));
      if (view) transcripts.push(view);
      else say(t("elsewhere", { name }));
    } catch (error) {
      say(t("unshowable", { name, detail: error.message })); // and show the others
    }
  }
}

let stopRecording;

async function record() {
  const button = byId("record");
  button.disabled = true;
  showProblem();
  try {
    if (stopRecording) transcribe([await stopRecording()], true);
    stopRecording = stopRecording ? undefined : await startRecording();
  } catch (error) {
    stopRecording = undefined;
    showProblem({ code: "microphone", detail: error.message });
  }
  button.dataset.t = stopRecording ? "stop" : "record";
  button.textContent = t(button.dataset.t);
  button.disabled = false;
}

byId("record").onclick = record;
window.addEventListener("pagehide", () => {
  for (const view of transcripts) view.leave();
});
window.addEventListener("beforeunload", (event) => {
  for (const view of transcripts) view.leave();
  if (stopRecording || transcripts.some((view) => view.unsaved)) event.preventDefault();
});
byId("files").onchange = ({ target }) => {
  transcribe([...target.files]);
  target.value = "";
};
onDrop(byId("drop"), (dropped) => transcribe(dropped.map(({ file }) => file)));

startPage(() => {
  showModel({});
  for (const view of transcripts) view.show();
});

await restore().catch(() => {}); // a browser that keeps nothing has nothing to show
const space = await (await fetch("space.json")).json();

byId("hub").onsubmit = (event) => {
  event.preventDefault();
  const { id, token } = Object.fromEntries(new FormData(event.target));
  load({ kind: "hub", hub: space.hub, id, token }, () => id);
};
byId("model-files").onchange = ({ target }) => {
  load({ kind: "files", files: [...target.files] }, () => t("dropped_model"));
  target.value = ""; // else choosing the same files again, after a fix, would be no change
};

const own = { languageModel: space.language_model, calibration: space.calibration };
if (space.own) load({ kind: "here", url: new URL("model/", location.href).href, ...own }, () => t("own_model"));
else if (space.model) load({ kind: "hub", hub: space.hub, id: space.model }, () => space.model);
else byId("model-choice").open = true;
