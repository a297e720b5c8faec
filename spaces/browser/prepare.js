// The page that prepares.
import { decide, inParquet, zipped } from "./corpus.js";
import { byId, download, onDrop, showProblem, speak, t } from "./page.js";
import { Problem } from "./problem.js";
import { python } from "./python.js";

let folder = "corpus";
let found = [];
let decided;
let state = ["chosen", { count: 0 }];

function show(name, values = {}, share = null) {
  state = [name, values];
  byId("state").textContent = t(name, values);
  byId("progress").hidden = share === null;
  byId("progress").value = share ?? 0;
}

const percent = (name) => (share) => show(name, { percent: Math.round(share * 100) }, share);

/** Of files in one folder the paths begin there: names of recordings do not hold the folder's. */
function choose(files) {
  const tops = new Set(files.map(({ path }) => path.slice(0, path.indexOf("/") + 1)));
  const [top] = tops.size === 1 ? tops : [""];
  folder = top.slice(0, -1) || "corpus";
  found = files.map(({ path, file }) => ({ path: path.slice(top.length), file }));
  byId("settings").querySelector("button:last-child").disabled = !files.length;
  byId("found").hidden = true;
  show("chosen", { count: files.length });
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

/** Run one long step at a time, its problems on the page. */
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

async function look() {
  byId("found").hidden = true;
  show("deciding");
  decided = await decide(folder, found, settings(), percent("reading"));
  byId("words").textContent = decided.words;
  byId("report").srcdoc = decided.html;
  byId("made").hidden = decided.report.problem !== null;
  byId("found").hidden = false;
  show("looked");
  if (decided.report.problem) showProblem({ code: "python", detail: decided.report.problem });
}

async function make() {
  const name = "dataset.zip";
  download(name, await zipped(found, decided, percent("cutting")));
  show("made", { name });
}

async function send() {
  const space = await (await fetch("space.json")).json();
  const { openDataset, push } = await import("./hub.js");
  const { id, token } = Object.fromEntries(new FormData(byId("push")));
  const where = { hub: space.hub, id: id.trim(), token: token.trim() };
  await openDataset(where); // before the work whose result it is
  await push(where, await inParquet(found, decided, percent("cutting")), percent("sending"));
  show("sent", { id: where.id });
}

const within = (file) => file.webkitRelativePath || file.name;
const chosen = ({ target }) => {
  choose([...target.files].map((file) => ({ path: within(file), file })));
  target.value = ""; // or the same files, mended, would be no change
};
byId("folder").onchange = chosen;
byId("files").onchange = chosen;
onDrop(byId("drop"), choose);
byId("settings").onsubmit = step(byId("settings").querySelector("button"), look);
byId("download").onclick = step(byId("download"), make);
byId("push").onsubmit = step(byId("push").querySelector("button"), send);
speak(() => show(...state));
byId("settings").elements.rules.value = JSON.stringify(await python("default_rules", null), null, 1);
