// The page that transcribes.
import { startRecording } from "./microphone.js";
import { byId, onDrop, showProblem, speak, t } from "./page.js";
import { Result } from "./table.js";

const worker = new Worker(new URL("./speech-worker.js", import.meta.url), { type: "module" });
const results = [];
let model = { state: "no_model" };

function showModel(change) {
  model = { ...model, ...change };
  const name = model.name?.() ?? "";
  const said = [t(model.state, { ...model, name })];
  if (model.state.startsWith("ready") && model.uncached) said.push(t("uncached"));
  byId("model-state").textContent = said.join(" ");
  const bar = byId("model-progress");
  bar.hidden = model.state !== "loading";
  bar.value = model.share ?? 0;
}

function load(source, name) {
  showProblem();
  showModel({ state: "loading", name, share: 0, percent: 0 });
  worker.postMessage({ load: source });
}

const answers = {
  loading: ({ share }) => showModel({ share, percent: Math.round(share * 100) }),
  ready({ engine, threads, uncached }) {
    showModel({ state: engine, threads, uncached });
    byId("model-choice").open = false;
  },
  problem({ id, problem }) {
    if (id !== undefined) return results[id].fail(problem);
    showProblem(problem);
    showModel({ state: "no_model" });
    byId("model-choice").open = true;
  },
};

worker.onmessage = ({ data }) =>
  (answers[data.kind] ?? ((message) => results[message.id][message.kind](message)))(data);
worker.onerror = (event) => showProblem({ code: "unexpected", detail: event.message });

function transcribe(files, recorded = false) {
  for (const file of files) {
    const result = new Result(file, recorded);
    byId("results").append(result.element);
    worker.postMessage({ transcribe: results.push(result) - 1, file });
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
byId("files").onchange = ({ target }) => {
  transcribe([...target.files]);
  target.value = "";
};
onDrop(byId("drop"), (found) => transcribe(found.map(({ file }) => file)));

speak(() => {
  showModel({});
  for (const result of results) result.show();
});

const space = await (await fetch("space.json")).json();

byId("hub").onsubmit = (event) => {
  event.preventDefault();
  const { id, token } = Object.fromEntries(new FormData(event.target));
  load({ kind: "hub", hub: space.hub, id, token }, () => id);
};
byId("model-files").onchange = ({ target }) => {
  load({ kind: "files", files: [...target.files] }, () => t("dropped_model"));
  target.value = ""; // or the same files, mended, would be no change
};

if (space.own) load({ kind: "here", url: new URL("model/", location.href).href }, () => t("own_model"));
else if (space.model) load({ kind: "hub", hub: space.hub, id: space.model }, () => space.model);
else byId("model-choice").open = true;
