// Runs functions of u2u_hf.browser under Pyodide: takes {id, call, argument, files}, posts {id, answer or problem}.
import { plain } from "./problem.js";
import { loadPyodide } from "./vendor/pyodide/pyodide.mjs";

const starting = start();

async function start() {
  const here = new URL("./vendor/", import.meta.url).href;
  const python = await loadPyodide({ indexURL: `${here}pyodide/`, stderr: () => {} }); // progress bars
  const packages = await (await fetch(`${here}python.zip`)).arrayBuffer();
  python.unpackArchive(packages, "zip");
  return { python, browser: python.pyimport("u2u_hf.browser") };
}

/** Write files, path → bytes, into Pyodide's file system. */
function write(FS, files) {
  for (const [path, bytes] of Object.entries(files)) {
    FS.mkdirTree(path.slice(0, path.lastIndexOf("/")));
    FS.writeFile(path, bytes);
  }
}

self.onmessage = async ({ data }) => {
  try {
    const { python, browser } = await starting;
    write(python.FS, data.files ?? {});
    const answer = JSON.parse(browser[data.call](JSON.stringify(data.argument)));
    postMessage({ id: data.id, answer });
  } catch (error) {
    const message = error.message?.match(/U2UError: ([\s\S]*?)\n*$/)?.[1];
    postMessage({ id: data.id, problem: message ? { code: "python", where: "", detail: message } : plain(error) });
  }
};
