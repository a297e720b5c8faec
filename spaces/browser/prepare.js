// The page that prepares.
import { inParquet, prepare, zipped } from "./corpus.js";
import { byId, download, onDrop, showProblem } from "./dom.js";
import { startPage } from "./header.js";
import { t } from "./language.js";
import { Problem } from "./problem.js";
import { python } from "./python.js";

let folder = "corpus";
let chosen = [];
let prepared; // the files that were previewed, and what Python made of them
let rulesLoaded = false; // from Python, which takes seconds to start
let state = ["starting", {}];
const previewButton = byId("preview");

function show(name, values = {}, share = null) {
  state = [name, values];
  byId("state").textContent = t(name, values);
  byId("progress").hidden = share === null;
  byId("progress").value = share ?? 0;
}

function showChosen() {
  show(rulesLoaded ? "chosen" : "starting", { count: chosen.length });
  previewButton.disabled = !rulesLoaded || !chosen.length;
}

const showPercent = (name) => (share) => show(name, { percent: Math.round(share * 100) }, share);

/** Take these files. If all lie in one folder, paths begin there: a recording's name does not hold the folder's. */
function choose(files) {
  const tops = new Set(files.map(({ path }) => path.slice(0, path.indexOf("/") + 1)));
  const [top] = tops.size === 1 ? tops : [""];
  folder = top.slice(0, -1) || "corpus";
  chosen = files.map(({ path, file }) => ({ path: path.slice(top.length), file }));
  byId("result").hidden = true;
  showChosen();
}

function settings() {
  const form = new FormData(byId("settings"));
  let rules;
  try {
    rules = JSON.parse(form.get("rules"));
  } catch (error) {
    throw new Problem("rules", "", error.message);
  }
  return {
    tiers: form
      .get("tiers")
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean),
    split_by: form.get("split_by"),
    allow_repeated_sentences: form.has("allow_repeated_sentences"),
    rules,
  };
}

/** Return an event listener that runs `work` once at a time, and shows its problems on the page. */
function step(button, work) {
  return async (event) => {
    event.preventDefault();
    showProblem();
    button.disabled = true;
    try {
      await work();
    } catch (error) {
      byId("progress").hidden = true;
      byId("state").textContent = "";
      showProblem(error);
    }
    button.disabled = false;
  };
}

/** Preview the chosen files. If others are chosen meanwhile, what becomes of these is not shown. */
async function preview() {
  const files = chosen;
  const current = () => files === chosen;
  byId("result").hidden = true;
  show("deciding");
  let preparation;
  try {
    preparation = await prepare(folder, files, settings(), (share) => current() && showPercent("reading")(share));
  } catch (error) {
    if (current()) throw error;
  }
  if (!current()) return;
  prepared = { files, preparation };
  byId("summary").textContent = preparation.words;
  byId("report").srcdoc = preparation.html;
  byId("made").hidden = preparation.report.problem !== null;
  byId("result").hidden = false;
  show("previewed");
  if (preparation.report.problem) showProblem({ code: "python", detail: preparation.report.problem });
}

async function saveZip() {
  const name = "dataset.zip";
  download(name, await zipped(prepared.files, prepared.preparation, showPercent("cutting")));
  show("made", { name });
}

async function upload() {
  const { files, preparation } = prepared; // others may be previewed meanwhile
  const space = await (await fetch("space.json")).json();
  const { createPrivateDataset, push } = await import("./hub.js");
  const { id, token } = Object.fromEntries(new FormData(byId("push")));
  const target = { hub: space.hub, id: id.trim(), token: token.trim() };
  await createPrivateDataset(target); // first: what the Hub refuses must not cost the visitor the time of cutting
  await push(target, await inParquet(files, preparation, showPercent("cutting")), showPercent("uploading"));
  show("uploaded", { id: target.id });
}

async function loadRules() {
  try {
    byId("settings").elements.rules.value = JSON.stringify(await python("default_rules", null), null, 1);
    rulesLoaded = true;
    showChosen();
  } catch (error) {
    byId("state").textContent = "";
    showProblem({ code: "python-start", detail: error.detail });
  }
}

const pathOf = (file) => file.webkitRelativePath || file.name;
const onChoice = ({ target }) => {
  choose([...target.files].map((file) => ({ path: pathOf(file), file })));
  target.value = ""; // else choosing the same files again, after a fix, would be no change
};
byId("folder").onchange = onChoice;
byId("files").onchange = onChoice;
onDrop(byId("drop"), choose);
byId("settings").onsubmit = step(previewButton, preview);
byId("download").onclick = step(byId("download"), saveZip);
byId("push").onsubmit = step(byId("push").querySelector("button"), upload);
startPage(() => show(...state));
await loadRules();
