// A recogniser's language model, as in u2u_hf/recognition/language_model.py, character_model.py and word_model.py.
import { END, START, WORD_DELIMITER } from "./constants.js";
import { Problem } from "./problem.js";

const NAMES = new Map([
  ["<s>", START],
  ["</s>", END],
]);
const UNKNOWN = "<unk>";
const LEAST = 1e-300; // added, because the logarithm of 0 is no number
const ROUNDING = 1e-5; // of the logarithms in a file

/** Return the error of a damaged language model. */
export const damaged = (detail) => new Problem("language-model", "", detail);

/** Return a number of an ARPA file as a natural logarithm of a probability or of a factor that is at most 1. */
function natural(log10) {
  const number = log10.trim() ? Number(log10) * Math.LN10 : NaN;
  if (!Number.isFinite(number) || number >= ROUNDING) throw damaged("a number is no probability");
  return number;
}

/**
 * Yield the n-grams of an ARPA file: [length, natural log-probability, symbols with spaces between, backoff].
 * @throws {Problem} "language-model": the file is damaged
 */
export function* ngrams(text) {
  const lines = text.split("\n");
  if (!lines.slice(-2).includes("\\end\\")) throw damaged("a file has no end");
  let length = 0;
  for (const line of lines) {
    if (line.includes("\t")) {
      const [log10, spelled, backoff] = line.split("\t");
      yield [length, natural(log10), spelled, backoff === undefined ? null : natural(backoff)];
    } else if (line.endsWith("-grams:")) length = parseInt(line.slice(1));
  }
}

/** Return a text without its first character. */
const withoutFirst = (text) => text.slice(text.codePointAt(0) > 0xffff ? 2 : 1);

/** n-grams of characters. */
export class CharacterModel {
  /** @param {string} arpa text of the file */
  constructor(arpa) {
    this.logProbs = new Map();
    this.backoffs = new Map();
    this.order = 0;
    for (const [length, logProb, spelled, backoff] of ngrams(arpa)) {
      this.order = Math.max(this.order, length);
      const ngram = spelled.split(" ").map((part) => NAMES.get(part) ?? part).join("");
      this.logProbs.set(ngram, logProb);
      if (backoff !== null) this.backoffs.set(ngram, backoff);
    }
    if (![UNKNOWN, START].every((ngram) => this.logProbs.has(ngram))) throw damaged("n-grams are missing");
    this.unknown = this.logProbs.get(UNKNOWN);
    this.logProbs.delete(UNKNOWN);
    this.logProbs.delete(START);
  }

  /** Return the natural log of the probability of a character after a context of at most order - 1 characters. */
  logProb(context, character) {
    let backoff = 0;
    for (;;) {
      const found = this.logProbs.get(context + character);
      if (found !== undefined) return backoff + found;
      if (!context) return backoff + this.unknown;
      backoff += this.backoffs.get(context) ?? 0;
      context = withoutFirst(context);
    }
  }

  /** Return a context with one more character, cut to what counts. */
  longer(context, character) {
    const whole = [...context, character];
    return whole.slice(Math.max(0, whole.length - Math.max(this.order - 1, 1))).join("");
  }
}

/** n-grams of words: sums and factors, not logarithms. */
export class WordModel {
  /** @param {string} arpa text of the file */
  constructor(arpa) {
    const rows = [];
    for (const [length, logProb, spelled, backoff] of ngrams(arpa)) {
      (rows[length] ??= []).push([spelled, Math.exp(logProb), Math.exp(backoff ?? 0)]);
    }
    this.unknown = rows[1].find(([word]) => word === UNKNOWN)[1];
    rows[1] = rows[1].filter(([word]) => word !== UNKNOWN);
    this.vocabulary = rows[1].map(([word]) => NAMES.get(word) ?? word).sort();
    const numbers = new Map(this.vocabulary.map((word, number) => [word === START ? "<s>" : word, number]));
    this.levels = [];
    let before = null;
    for (const level of rows.slice(1)) {
      const entries = level.map(([spelled, probability, backoff]) => {
        const last = spelled.lastIndexOf(" ");
        const word = numbers.get(spelled.slice(last + 1));
        if (!before) {
          const own = spelled === "<s>" ? 0 : probability;
          return { spelled, word, parent: 0, own, probability, backoff };
        }
        const parent = before.places.get(spelled.slice(0, last));
        const shorter = before.entries[before.places.get(spelled.slice(spelled.indexOf(" ") + 1))];
        // What an n-gram has more than its shorter one gives it; rounding in the file may make it less.
        const own = Math.max(probability - before.entries[parent].backoff * shorter.probability, 0);
        return { spelled, word, parent, own, probability, backoff };
      });
      entries.sort((a, b) => a.parent - b.parent || a.word - b.word);
      if (before) before.level.begins = beginsOf(entries, before.entries.length);
      before = { entries, places: new Map(entries.map(({ spelled }, place) => [spelled, place])) };
      before.level = levelOf(entries);
      this.levels.push(before.level);
    }
    before.level.begins = new Int32Array(before.entries.length + 1);
  }

  start(share) {
    return this.spelling([[0, 0]], share);
  }

  /** Return nothing spelled yet, after the n-grams [level, place] that end the text, the shortest first. */
  spelling(contexts, share) {
    const spans = [];
    let weight = share;
    for (const [number, place] of contexts.toReversed()) {
      const { begins, backoffs } = this.levels[number];
      const [begin, end] = [begins[place], begins[place + 1]];
      if (begin === end) continue;
      spans.push([this.levels[number + 1], weight, begin, begin, end]);
      weight *= backoffs[place];
    }
    spans.push([this.levels[0], weight, 0, 0, this.vocabulary.length]);
    const mass = share - weight * this.unknown;
    return new Spelling(this, share, contexts, "", 0, this.vocabulary.length, spans, mass);
  }
}

function levelOf(entries) {
  const sums = new Float64Array(entries.length);
  entries.forEach(({ parent, own }, i) => {
    sums[i] = i && entries[i - 1].parent === parent ? sums[i - 1] + own : own;
  });
  return {
    words: Int32Array.from(entries, ({ word }) => word),
    sums,
    backoffs: Float64Array.from(entries, ({ backoff }) => backoff),
  };
}

function beginsOf(longer, contexts) {
  const begins = new Int32Array(contexts + 1);
  for (const { parent } of longer) begins[parent + 1]++;
  for (let i = 0; i < contexts; i++) begins[i + 1] += begins[i];
  return begins;
}

/** Return the first place from `low` on, at most `high`, whose value is not less than `wanted`. */
function bisect(values, wanted, low, high) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The beginning of a word, and which words of the vocabulary it may become. */
class Spelling {
  constructor(model, share, contexts, prefix, low, high, spans, mass) {
    Object.assign(this, { model, share, contexts, prefix, low, high, spans, mass });
  }

  longer(character) {
    const prefix = this.prefix + character;
    const low = bisect(this.model.vocabulary, prefix, this.low, this.high);
    return this.narrowed(prefix, low, bisect(this.model.vocabulary, `${prefix}\uffff`, low, this.high));
  }

  whole() {
    const isWord = this.low < this.high && this.model.vocabulary[this.low] === this.prefix;
    return this.narrowed(this.prefix, this.low, this.low + (isWord ? 1 : 0));
  }

  narrowed(prefix, low, high) {
    const spans = [];
    let mass = 0;
    if (low < high) {
      for (const [level, weight, start, begin, end] of this.spans) {
        const from = bisect(level.words, low, begin, end);
        const to = bisect(level.words, high, from, end);
        if (from === to) continue;
        spans.push([level, weight, start, from, to]);
        mass += weight * (level.sums[to - 1] - (from > start ? level.sums[from - 1] : 0));
      }
    }
    return new Spelling(this.model, this.share, this.contexts, prefix, low, high, spans, mass);
  }

  nextWord() {
    const { levels } = this.model;
    const contexts = [];
    if (this.low < this.high) {
      contexts.push([0, this.low]);
      for (const [number, place] of this.contexts) {
        if (number + 2 >= levels.length) continue;
        const { begins } = levels[number];
        const { words } = levels[number + 1];
        const found = bisect(words, this.low, begins[place], begins[place + 1]);
        if (found < begins[place + 1] && words[found] === this.low) contexts.push([number + 1, found]);
      }
    }
    return this.model.spelling(contexts, this.share);
  }
}

/** The end of a text: what the next character depends on. It remembers what it was asked. */
class State {
  constructor(characters, tail, spelling, known) {
    Object.assign(this, { characters, tail, spelling, known, found: new Map() });
  }

  /** Return the natural log of the probability of the next character; END is the end of the text. */
  logProb(character) {
    return this.next(character).logProb;
  }

  after(character) {
    let { spelling, known } = this.next(character);
    if (character === WORD_DELIMITER && spelling) {
      spelling = spelling.nextWord();
      known = spelling.mass;
    }
    return new State(this.characters, this.characters.longer(this.tail, character), spelling, known);
  }

  next(character) {
    let found = this.found.get(character);
    if (!found) this.found.set(character, (found = this.asked(character)));
    return found;
  }

  asked(character) {
    const context = this.characters.order > 1 ? this.tail : "";
    const letters = this.characters.logProb(context, character);
    if (!this.spelling) return { logProb: letters, spelling: null, known: 0 };
    if (character !== WORD_DELIMITER && character !== END) {
      return this.mixed(this.spelling.longer(character), letters, 0);
    }
    // The end of a word: the words say how probable it is, the characters whether the text ends with it.
    const other = this.characters.logProb(context, character === WORD_DELIMITER ? END : WORD_DELIMITER);
    const either = Math.log(Math.exp(letters) + Math.exp(other) + LEAST);
    return this.mixed(this.spelling.whole(), either, letters - either);
  }

  mixed(spelling, letters, more) {
    const rest = Math.max(1 - this.known, 0);
    if (!spelling.mass || !this.known) {
      return { logProb: (this.known ? letters + Math.log(rest + LEAST) : letters) + more, spelling, known: 0 };
    }
    const known = (this.known * spelling.mass) / this.spelling.mass;
    const whole = known + rest * Math.exp(letters) + LEAST;
    return { logProb: Math.log(whole) + more, spelling, known: Math.min(known / whole, 1) };
  }
}

export class LanguageModel {
  /**
   * @param {{weight: number, bonus: number, share?: number}} weights
   * @param {string} characters text of the ARPA file of characters
   * @param {string | null} words text of the ARPA file of words; null without words
   * @throws {Problem} "language-model": a weight is invalid, or a file is damaged
   */
  constructor({ weight, bonus, share = 0 }, characters, words) {
    if (![weight, bonus, share].every(Number.isFinite) || share < 0 || share > 1) throw damaged("a weight is invalid");
    Object.assign(this, { weight, bonus, share });
    this.characters = new CharacterModel(characters);
    this.words = words ? new WordModel(words) : null;
  }

  /** Return the state at the beginning of a text. */
  start() {
    const spelling = this.words && this.share ? this.words.start(this.share) : null;
    return new State(this.characters, START, spelling, spelling?.mass ?? 0);
  }
}
