// Corrected transcripts, kept in this browser over a reload until the visitor deletes them; never the sound.

/** Whether a tab can hold a transcript (see `hold`): not at http:// addresses, except this computer's own. */
export const canHold = Boolean(navigator.locks);

const STORES = ["transcripts", "peaks"]; // apart: peaks are large and never change

let opening;

function database() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("u2u-hf-transcripts", 1);
    request.onupgradeneeded = () => {
      for (const name of STORES) request.result.createObjectStore(name);
    };
    request.onsuccess = () => {
      request.result.onclose = reopenNext; // the browser closes it, as when the visitor clears the site's data
      resolve(request.result);
    };
    request.onerror = () => {
      reopenNext();
      reject(request.error);
    };
  });
  return opening;
}

function reopenNext() {
  opening = undefined;
}

async function begin(mode) {
  return (await database()).transaction(STORES, mode, { durability: "strict" });
}

/** Run `use` on both stores in one transaction, and return what its requests found, once all is on the disk. */
async function transact(mode, use) {
  const transaction = await begin(mode).catch((error) => {
    if (error.name !== "InvalidStateError") throw error; // that is: the database was closed
    reopenNext();
    return begin(mode);
  });
  const requests = use(...STORES.map((name) => transaction.objectStore(name)));
  transaction.commit(); // else the browser would undo it if the page is left now
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
  return requests.map(({ result }) => result);
}

/**
 * Keep a transcript under its id, in place of its last state.
 * @param {object} transcript what the page needs to show it again, with its `id`
 * @param {Uint8Array[]} [peaks] the first time
 * @throws {DOMException} the browser has no space left
 */
export async function keep(transcript, peaks) {
  await transact("readwrite", (transcripts, all) => {
    const requests = [transcripts.put(transcript, transcript.id)];
    if (peaks) requests.push(all.put(peaks, transcript.id));
    return requests;
  });
}

export async function forget(id) {
  await transact("readwrite", (...stores) => stores.map((store) => store.delete(id)));
}

/** Return [transcript, peaks] of all that are kept, the oldest first. */
export async function kept() {
  const [transcripts, keys, peaks] = await transact("readonly", (texts, all) => {
    return [texts.getAll(), all.getAllKeys(), all.getAll()];
  });
  return transcripts
    .sort((a, b) => a.begun - b.begun)
    .map((transcript) => [transcript, peaks[keys.indexOf(transcript.id)] ?? []]);
}

/**
 * Hold a transcript for this tab as long as it is open. Two tabs with one transcript would overwrite each other's
 * corrections.
 * @returns {Promise<boolean>} whether no other tab holds it
 */
export function hold(id) {
  return new Promise((resolve) => {
    if (!canHold) return resolve(true); // to show what is kept: no tab keeps anything there
    navigator.locks.request(`u2u-hf ${id}`, { ifAvailable: true }, (lock) => {
      resolve(Boolean(lock));
      return lock ? new Promise(() => {}) : undefined;
    });
  });
}
