// Files → a private dataset on the Hugging Face Hub.
import { commitIter, createRepo, datasetInfo, HubApiError, listFiles } from "@huggingface/hub";
import { Problem } from "./problem.js";

/**
 * @param {{hub: string, id: string, token: string}} where the Hub's address, OWNER/NAME, and a token that may write
 * @throws {Problem} "push-public": everybody could read it; "push-token", "push-denied", "network"
 */
export async function openDataset({ hub, id, token }) {
  const access = { hubUrl: hub, accessToken: token };
  await said(id, async () => {
    let info;
    try {
      info = await datasetInfo({ ...access, name: id, revision: "main" });
    } catch (error) {
      if (error.statusCode !== 404) throw error;
      await createRepo({ ...access, repo: { type: "dataset", name: id }, private: true });
      info = await datasetInfo({ ...access, name: id, revision: "main" });
    }
    if (!info.private) throw new Problem("push-public", id);
  });
}

/**
 * Upload, in one commit; what was in data/ is replaced.
 * @param where as of `openDataset`, which must have been called
 * @param {Map<string, Blob>} files by path
 * @param {(share: number) => void} progress
 * @throws {Problem} as `openDataset`
 */
export async function push({ hub, id, token }, files, progress) {
  const access = { hubUrl: hub, accessToken: token, repo: { type: "dataset", name: id } };
  await said(id, async () => {
    const operations = [...files].map(([path, content]) => ({ operation: "addOrUpdate", path, content }));
    for await (const { type, path } of listFiles({ ...access, recursive: true })) {
      const old = type === "file" && path.startsWith("data/") && !files.has(path);
      if (old) operations.push({ operation: "delete", path });
    }
    const shares = new Map();
    // Without Xet: plain uploads go to the Hub's own addresses only, and are what our tests see.
    const settings = { operations, title: "Upload with u2u-hf", useXet: false };
    for await (const event of commitIter({ ...access, ...settings })) {
      if (event.event === "fileProgress" && event.state === "uploading") shares.set(event.path, event.progress);
      progress([...shares].reduce((sum, [path, share]) => sum + share * files.get(path).size, 0) / size(files));
    }
  });
}

const size = (files) => [...files.values()].reduce((sum, file) => sum + file.size, 0);

/** What the Hub refuses, as a Problem. */
async function said(id, work) {
  try {
    await work();
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (!(error instanceof HubApiError)) throw new Problem("network", id, error.message);
    const code = { 401: "push-token", 403: "push-denied" }[error.statusCode] ?? "network";
    throw new Problem(code, id, `${error.statusCode}`);
  }
}
