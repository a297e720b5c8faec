/** Something the visitor can mend. Its code is a message's name in messages.js. */
export class Problem extends Error {
  /**
   * @param {string} code
   * @param {string} where the file or model it is about
   * @param {string} detail what a library said
   */
  constructor(code, where = "", detail = "") {
    super(`${code}: ${where} ${detail}`);
    Object.assign(this, { code, where, detail });
  }
}

const MEMORY = /out of memory|bad_alloc|allocation failed|Array buffer allocation|memory access out of bounds/i;

/** What goes from a worker to its page: an error as plain values. */
export function plain(error) {
  if (error instanceof Problem) return { code: error.code, where: error.where, detail: error.detail };
  const detail = error?.message ?? String(error);
  return { code: MEMORY.test(detail) ? "memory" : "unexpected", where: "", detail };
}
