// The segments of a recording, every change a person can make to them, and undo and redo of all of these.

export const SHORTEST_MS = 10; // a segment cannot be made shorter
const NEW_MS = 1000; // length of a new segment, where there is room
const ONE_STEP_MS = 1000; // letters typed faster one after the other are undone together
const REMEMBERED = 1000; // steps that can be undone

/**
 * Segments in order of time. Each is an object that is never changed, only replaced:
 * `{id, channel, start_ms, end_ms, text, confidence, words, checked, corrected, pending}` with whole ms; `words` are
 * `{text, start_ms, end_ms, confidence}`, or none once a person has changed the text (`corrected`); a `pending` segment
 * is still being recognised and cannot be changed. Segments of one channel do not overlap, as in an ELAN tier.
 */
export class Segments {
  /**
   * @param {{durationMs: number, channels: number, now?: () => number}} recording `now`: a clock in ms
   */
  constructor({ durationMs, channels, now = () => performance.now() }) {
    Object.assign(this, { durationMs, channels, now });
    this.list = [];
    this.undone = [];
    this.done = [];
    this.nextId = 1;
    this.cut = new Set(); // ids of segments that were trimmed before they were recognised
    /** Called after each change with `{kind, removed, added}`: segments by their state before and after. */
    this.onchange = () => {};
    this.reindex();
  }

  get(id) {
    return this.list[this.places.get(id)];
  }

  indexOf(id) {
    return this.places.get(id) ?? -1;
  }

  get canUndo() {
    return this.done.length > 0;
  }

  get canRedo() {
    return this.undone.length > 0;
  }

  /**
   * Add segments that a recogniser found; this is no step to undo. Where a person was there before, a found segment
   * keeps the longest time that is free; one without such time has an id, but is not added. Returns all ids.
   */
  load(found) {
    const empty = { text: "", confidence: 0, words: [], checked: false, corrected: false, pending: false };
    const all = found.map((segment) => ({ ...empty, ...segment, id: this.nextId++ }));
    const added = this.list.length ? all.map((segment) => this.trimmed(segment)).filter(Boolean) : all;
    this.replace({ kind: "load", removed: [], added });
    return all.map(({ id }) => id);
  }

  /** Return a segment cut to the longest time in it that is free on its channel; null if that is too short. */
  trimmed(segment) {
    const { channel, start_ms, end_ms, words } = segment;
    const others = this.list.filter((s) => s.channel === channel && s.start_ms < end_ms && start_ms < s.end_ms);
    if (!others.length) return segment;
    const starts = [start_ms, ...others.map((s) => s.end_ms)];
    const ends = [...others.map((s) => s.start_ms), end_ms];
    const free = starts.map((start, i) => [start, ends[i]]);
    const [from, to] = free.reduce((best, span) => (span[1] - span[0] > best[1] - best[0] ? span : best));
    if (to - from < SHORTEST_MS) return null;
    this.cut.add(segment.id);
    return { ...segment, start_ms: from, end_ms: to, words: clipped(words, from, to) };
  }

  /** Fill in what was recognised in a pending segment; this is no step to undo. */
  recognised(id, fields) {
    const before = this.get(id);
    if (!before?.pending) return;
    const words = fields.words ?? before.words;
    const inside = this.cut.has(id) ? clipped(words, before.start_ms, before.end_ms) : words;
    this.replace(change("load", before, { ...fields, words: inside, pending: false }));
  }

  /** Replace the text. What a person wrote is sure, and has no times of words. */
  setText(id, text) {
    const before = this.get(id);
    if (!before || before.pending || before.text === text) return null;
    return this.commit(change("text", before, { text, confidence: 1, words: [], corrected: true }));
  }

  check(id, checked) {
    const before = this.get(id);
    if (!before || before.pending || before.checked === checked) return null;
    return this.commit(change("check", before, { checked }));
  }

  /** Return the span nearest to this one that a segment may have: beside its neighbours, in the recording. */
  clamped({ id, channel, start_ms, end_ms }, from, to) {
    const others = this.list.filter((other) => other.channel === channel && other.id !== id);
    const lowest = Math.max(0, ...others.filter((o) => o.end_ms <= start_ms).map((o) => o.end_ms));
    const highest = Math.min(this.durationMs, ...others.filter((o) => o.start_ms >= end_ms).map((o) => o.start_ms));
    const start = Math.max(lowest, Math.min(Math.round(from), highest - SHORTEST_MS));
    return [start, Math.min(highest, Math.max(Math.round(to), start + SHORTEST_MS))];
  }

  /** Move a segment's borders, up to its neighbours. Words that are cut end at the border. */
  setBorders(id, from, to) {
    const before = this.get(id);
    if (!before || before.pending) return null;
    const [start_ms, end_ms] = this.clamped(before, from, to);
    if (start_ms === before.start_ms && end_ms === before.end_ms) return null;
    return this.commit(change("borders", before, { start_ms, end_ms, words: clipped(before.words, start_ms, end_ms) }));
  }

  /** Move a segment to another channel; null if others are there at that time. */
  setChannel(id, channel) {
    const before = this.get(id);
    if (!before || before.pending || channel === before.channel || !this.isFree(channel, before)) return null;
    return this.commit(change("channel", before, { channel }));
  }

  /**
   * Split a segment: at a time, or where the cursor stands in the text. The other is taken from the words' times, or
   * in proportion to the characters.
   */
  split(id, { atMs, caret }) {
    const before = this.get(id);
    if (!before || before.pending || before.end_ms - before.start_ms < 2 * SHORTEST_MS) return null;
    const where = caret === undefined ? this.textAt(before, atMs) : this.timeAt(before, caret);
    const at = Math.max(before.start_ms + SHORTEST_MS, Math.min(Math.round(where.ms), before.end_ms - SHORTEST_MS));
    const halves = [before.text.slice(0, where.caret).trim(), before.text.slice(where.caret).trim()];
    const words = timed(before) && where.word !== null ? before.words : [];
    const first = { ...before, end_ms: at, text: halves[0], checked: false };
    const second = { ...before, id: this.nextId++, start_ms: at, text: halves[1], checked: false };
    first.words = clipped(words.slice(0, where.word), first.start_ms, at);
    second.words = clipped(words.slice(where.word), at, second.end_ms);
    return this.commit({ kind: "split", removed: [before], added: [first, second] });
  }

  /** Return where in the text, and before which word, a time is. */
  textAt({ text, start_ms, end_ms, words }, atMs) {
    const spans = tokens(text);
    if (words.length === spans.length && words.length) {
      const word = words.filter((w) => (w.start_ms + w.end_ms) / 2 < atMs).length;
      return { ms: atMs, caret: word < spans.length ? spans[word].from : text.length, word };
    }
    const wanted = (text.length * (atMs - start_ms)) / (end_ms - start_ms);
    const borders = [0, ...spans.map(({ to }) => to)];
    const caret = borders.reduce((best, at) => (Math.abs(at - wanted) < Math.abs(best - wanted) ? at : best), 0);
    return { ms: atMs, caret, word: null };
  }

  /** Return the time of a place in the text, and the word that begins there; null inside a word. */
  timeAt({ text, start_ms, end_ms, words }, caret) {
    const spans = tokens(text);
    const word = spans.filter(({ to }) => to <= caret).length;
    const inside = word < spans.length && spans[word].from < caret;
    if (words.length !== spans.length || !words.length || inside) {
      return { ms: start_ms + ((end_ms - start_ms) * caret) / Math.max(1, text.length), caret, word: null };
    }
    const [left, right] = [words[word - 1]?.end_ms ?? start_ms, words[word]?.start_ms ?? end_ms];
    return { ms: (left + right) / 2, caret, word };
  }

  /** Join a segment with the next one of its channel. */
  join(id) {
    const before = this.get(id);
    const next = before && this.list.slice(this.indexOf(id) + 1).find(({ channel }) => channel === before.channel);
    if (!next || before.pending || next.pending) return null;
    const keepsWords = [before, next].every((s) => timed(s) || !s.text);
    const joined = {
      ...before,
      end_ms: next.end_ms,
      text: [before.text, next.text].map((text) => text.trim()).filter(Boolean).join(" "),
      confidence: Math.min(before.confidence, next.confidence),
      words: keepsWords ? [...before.words, ...next.words] : [],
      checked: before.checked && next.checked,
      corrected: before.corrected && next.corrected,
    };
    return this.commit({ kind: "join", removed: [before, next], added: [joined] });
  }

  remove(id) {
    const before = this.get(id);
    if (!before || before.pending) return null;
    return this.commit({ kind: "remove", removed: [before], added: [] });
  }

  /** Add an empty segment that begins at this time, or at the end of the one that is there; null without room. */
  insert(channel, atMs) {
    const own = this.list.filter((segment) => segment.channel === channel);
    let start = Math.max(0, Math.round(atMs));
    for (const { start_ms, end_ms } of own) if (start_ms < start + SHORTEST_MS && start < end_ms) start = end_ms;
    const next = own.find(({ start_ms }) => start_ms >= start)?.start_ms ?? this.durationMs;
    const end = Math.min(start + NEW_MS, next, this.durationMs);
    if (end - start < SHORTEST_MS) return null;
    const fields = { text: "", confidence: 1, words: [], checked: false, corrected: true, pending: false };
    const added = { id: this.nextId++, channel, start_ms: start, end_ms: end, ...fields };
    return this.commit({ kind: "insert", removed: [], added: [added] });
  }

  /** Return whether a segment would overlap no other of a channel, except those with an id in `gone`. */
  isFree(channel, { id, start_ms, end_ms }, gone = new Set()) {
    const overlaps = (s) => s.channel === channel && s.start_ms < end_ms && start_ms < s.end_ms;
    return !this.list.some((s) => s.id !== id && !gone.has(s.id) && overlaps(s));
  }

  /** Take the last step back. Returns the id of a segment it changed, or null. */
  undo() {
    return this.turnBack(this.done, this.undone);
  }

  redo() {
    return this.turnBack(this.undone, this.done);
  }

  turnBack(from, to) {
    const step = from.pop();
    if (!step) return null;
    const gone = new Set(step.added.map(({ id }) => id));
    if (step.removed.some((segment) => !this.isFree(segment.channel, segment, gone))) {
      from.length = 0; // a segment was found there since: this step and those before it are out of reach
      return null;
    }
    const back = { ...step, removed: step.added, added: step.removed };
    to.push(back);
    this.replace({ ...back, kind: "undo" });
    return (back.added[0] ?? back.removed[0]).id;
  }

  /** Return the segments as files hold them, in order of channel, then of time. What was checked is sure. */
  written() {
    return this.list
      .map(({ channel, start_ms, end_ms, text, confidence, words, checked }) => {
        return { channel, start_ms, end_ms, text: plain(text), confidence: checked ? 1 : confidence, words };
      })
      .sort((a, b) => a.channel - b.channel || a.start_ms - b.start_ms);
  }

  commit(step) {
    const last = this.done.at(-1);
    const now = this.now();
    const together = last?.kind === "text" && step.kind === "text" && last.added[0].id === step.removed[0].id;
    if (together && now - this.typedAt < ONE_STEP_MS && !this.undone.length) last.added = step.added;
    else this.done.push({ ...step });
    if (this.done.length > REMEMBERED) this.done.shift();
    this.typedAt = now;
    this.undone = [];
    this.replace(step);
    return (step.added[0] ?? step.removed[0]).id;
  }

  replace(step) {
    const [before] = step.removed;
    const [after] = step.added;
    const stays = step.removed.length === 1 && step.added.length === 1 && before.id === after.id;
    if (stays && before.start_ms === after.start_ms && before.channel === after.channel) {
      this.list[this.indexOf(before.id)] = after; // no other segment moves: typing costs the same in every recording
    } else {
      const gone = new Set(step.removed.map(({ id }) => id));
      this.list = [...this.list.filter(({ id }) => !gone.has(id)), ...step.added];
      this.list.sort((a, b) => a.start_ms - b.start_ms || a.channel - b.channel || a.id - b.id);
      this.reindex();
    }
    this.onchange(step);
  }

  reindex() {
    this.places = new Map(this.list.map(({ id }, place) => [id, place]));
  }
}

const change = (kind, before, fields) => ({ kind, removed: [before], added: [{ ...before, ...fields }] });

const plain = (text) => text.split(/\s+/).filter(Boolean).join(" ");

/** Return where each word stands in a text. */
export function tokens(text) {
  return [...text.matchAll(/\S+/g)].map((found) => ({ from: found.index, to: found.index + found[0].length }));
}

/** Return whether each word of a segment's text has its time. */
export const timed = ({ text, words }) => words.length > 0 && words.length === tokens(text).length;

/** Return words inside a span, cut at its ends; none if one would lose all its time. */
function clipped(words, from, to) {
  const inside = words.map((word) => {
    return { ...word, start_ms: Math.max(from, word.start_ms), end_ms: Math.min(to, word.end_ms) };
  });
  return inside.every(({ start_ms, end_ms }) => start_ms < end_ms) ? inside : [];
}
