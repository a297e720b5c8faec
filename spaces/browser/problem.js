/** An error that the visitor can fix. `problem_` and its code name its message in messages.js. */
export class Problem extends Error {
  /**
   * @param {string} code
   * @param {string} where file, model or dataset
   * @param {string} detail a library's message, a status code or a file's name
   */
  constructor(code, where = "", detail = "") {
    super(`${code}: ${where} ${detail}`);
    Object.assign(this, { code, where, detail: detail.replace(/\.$/, "") }); // messages put it in parentheses
  }
}

const MEMORY = /out of memory|bad_alloc|allocation failed|Array buffer allocation|memory access out of bounds/i;

/** Return an error as plain values, which a worker can post to its page. */
export function plain(error) {
  if (error instanceof Problem) return { code: error.code, where: error.where, detail: error.detail };
  const detail = error?.message ?? String(error);
  return { code: MEMORY.test(detail) ? "memory" : "unexpected", where: "", detail };
}
