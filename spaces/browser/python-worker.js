// u2u_hf's own Python, under Pyodide: {call: function of u2u_hf.browser, arguments, files} in, its answer out.
import { plain } from "./problem.js";
import { loadPyodide } from "./vendor/pyodide/pyodide.mjs";

const starting = start();

async function start() {
  const here = new URL("./vendor/", import.meta.url).href;
  const python = await loadPyodide({ indexURL: `${here}pyodide/`, stderr: () => {} }); // there go progress bars
  const packages = await (await fetch(`${here}python.zip`)).arrayBuffer();
  python.unpackArchive(packages, "zip");
  return { python, browser: python.pyimport("u2u_hf.browser") };
}

/** Files are written before the call: path → bytes. */
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
    const said = error.message?.match(/U2UError: ([\s\S]*?)\n*$/)?.[1];
    postMessage({ id: data.id, problem: said ? { code: "python", where: "", detail: said } : plain(error) });
  }
};
