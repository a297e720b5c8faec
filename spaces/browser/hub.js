// Uploads files to a private dataset on the Hugging Face Hub.
import { commitIter, createRepo, datasetInfo, HubApiError, listFiles } from "@huggingface/hub";
import { Problem } from "./problem.js";

/** @typedef {{hub: string, id: string, token: string}} Target the Hub's address, OWNER/NAME, a token that may write */

/**
 * Create the dataset, private, if it does not exist.
 * @param {Target} target
 * @throws {Problem} "push-public": the dataset exists and is public; "push-token", "push-denied", "network"
 */
export async function createPrivateDataset(target) {
  const { hub, id, token } = target;
  await withProblems(id, async () => {
    try {
      await requirePrivate(target);
    } catch (error) {
      if (error.statusCode !== 404) throw error;
      await createRepo({ hubUrl: hub, accessToken: token, repo: { type: "dataset", name: id }, private: true });
      await requirePrivate(target);
    }
  });
}

/**
 * Upload files in one commit, and delete other files of data/. The dataset must exist. Its owner may make it public
 * while files are prepared or uploaded, which takes hours: it is checked before the first upload and before the commit.
 * @param {Target} target
 * @param {Map<string, Blob>} files by path
 * @param {(share: number) => void} progress
 * @throws {Problem} as `createPrivateDataset`
 */
export async function push(target, files, progress) {
  const { hub, id, token } = target;
  const access = { hubUrl: hub, accessToken: token, repo: { type: "dataset", name: id } };
  await withProblems(id, async () => {
    await requirePrivate(target);
    const operations = [...files].map(([path, content]) => ({ operation: "addOrUpdate", path, content }));
    for await (const { type, path } of listFiles({ ...access, recursive: true })) {
      const old = type === "file" && path.startsWith("data/") && !files.has(path);
      if (old) operations.push({ operation: "delete", path });
    }
    const shares = new Map();
    // Plain LFS, not Xet: all requests go to the Hub's own address, and the tests' Hub answers them.
    const settings = { operations, title: "Upload with u2u-hf", useXet: false };
    for await (const event of commitIter({ ...access, ...settings })) {
      // The library sends the commit when it is asked for the event after this one.
      if (event.event === "phase" && event.phase === "committing") await requirePrivate(target);
      if (event.event === "fileProgress" && event.state === "uploading") shares.set(event.path, event.progress);
      progress([...shares].reduce((sum, [path, share]) => sum + share * files.get(path).size, 0) / size(files));
    }
  });
}

const size = (files) => [...files.values()].reduce((sum, file) => sum + file.size, 0);

async function requirePrivate({ hub, id, token }) {
  const info = await datasetInfo({ hubUrl: hub, accessToken: token, name: id, revision: "main" });
  if (!info.private) throw new Problem("push-public", id);
}

/** Run `work`; errors of the Hub and of the network become a Problem. */
async function withProblems(id, work) {
  try {
    await work();
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (!(error instanceof HubApiError)) throw new Problem("network", id, error.message);
    const code = { 401: "push-token", 403: "push-denied" }[error.statusCode] ?? "network";
    throw new Problem(code, id, `${error.statusCode}`);
  }
}
