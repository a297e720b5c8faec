// CTC prefix beam search with a language model, as in u2u_hf/recognition/beam_search.py.
import { BEAM_WIDTH, END, LEAST_LOG_PROB, START, WORD_DELIMITER } from "./constants.js";

/**
 * Return the text with the best score, words separated by one space.
 * @param {Float32Array} logProbs [T · V], natural logarithms of probabilities
 * @param {{symbols: string[], blank: number}} labels
 * @param {import("./language-model.js").LanguageModel} languageModel
 */
export function beamSearch(logProbs, labels, languageModel) {
  const width = labels.symbols.length;
  let beams = [new Beam(START, 0, 0, -Infinity, null, languageModel.start())];
  for (let at = 0; at < logProbs.length; at += width) {
    let blank = -Infinity;
    const characters = [];
    labels.symbols.forEach((symbol, label) => {
      const logProb = logProbs[at + label];
      if (!symbol) blank = add(blank, logProb);
      else if (logProb > LEAST_LOG_PROB) characters.push([symbol, logProb]);
    });
    if (characters.length) {
      const scored = [...extended(beams, blank, characters, languageModel)].map((beam) => [beam.score(), beam]);
      beams = scored.sort(([a], [b]) => b - a).slice(0, BEAM_WIDTH).map(([, beam]) => beam);
    } else {
      for (const beam of beams) {
        beam.inBlank = beam.logProb() + blank;
        beam.inCharacter = -Infinity;
      }
    }
  }
  return best(beams, languageModel);
}

/** A prefix of the text; `before` and `state` are the language model's, before and after its last character. */
class Beam {
  constructor(prefix, language, inBlank, inCharacter, before, state = null, last = START) {
    Object.assign(this, { prefix, language, inBlank, inCharacter, before, state, last });
  }

  logProb() {
    return add(this.inBlank, this.inCharacter);
  }

  score() {
    return this.logProb() + this.language;
  }

  stateAfter() {
    return (this.state ??= this.before.after(this.last));
  }
}

/**
 * Return the beams after one more frame: each prefix as it is, and with each character appended. Longer prefixes that
 * cannot be among the best are missing: the language model is not asked about them.
 */
function extended(beams, blank, characters, { weight, bonus }) {
  const byCharacter = new Map(characters);
  const found = new Map(beams.map((beam) => [beam.prefix, same(beam, blank, byCharacter)]));
  const least = beams.length >= BEAM_WIDTH ? Math.min(...[...found.values()].map((beam) => beam.score())) : -Infinity;
  for (const beam of beams) {
    const { prefix, last } = beam;
    const either = beam.logProb();
    for (const [character, logProb] of characters) {
      if (character === WORD_DELIMITER && (last === START || last === WORD_DELIMITER)) continue;
      // After the same character only paths that end in a blank: a double letter needs one between.
      const paths = (character === last ? beam.inBlank : either) + logProb;
      const longer = found.get(prefix + character);
      if (longer) longer.inCharacter = add(longer.inCharacter, paths);
      else if (paths > -Infinity && paths + beam.language + bonus >= least) {
        const state = beam.stateAfter();
        const language = beam.language + (weight * state.logProb(character) + bonus);
        found.set(prefix + character, new Beam(prefix + character, language, -Infinity, paths, state, null, character));
      }
    }
  }
  return found.values();
}

/** Return the beam after a frame that appends nothing: a blank, a repeat, or a space that does not count. */
function same(beam, blank, characters) {
  const { prefix, language, before, last } = beam;
  let inCharacter = -Infinity;
  if (characters.has(last)) inCharacter = beam.inCharacter + characters.get(last);
  const space = characters.get(WORD_DELIMITER);
  if (space !== undefined && last === WORD_DELIMITER) inCharacter = add(inCharacter, beam.inBlank + space);
  else if (space !== undefined && last === START) inCharacter = beam.logProb() + space;
  return new Beam(prefix, language, beam.logProb() + blank, inCharacter, before, beam.stateAfter(), last);
}

/** Return the best text of the last frame's beams; a space at the end does not count. */
function best(beams, { weight }) {
  const whole = new Map();
  const spaced = (beam) => (beam.last === WORD_DELIMITER ? 1 : 0);
  for (const beam of beams.toSorted((a, b) => spaced(a) - spaced(b))) {
    const prefix = spaced(beam) ? beam.prefix.slice(0, -1) : beam.prefix;
    const state = spaced(beam) ? beam.before : beam.stateAfter();
    const text = whole.get(prefix) ?? new Beam(prefix, beam.language, -Infinity, -Infinity, null, state);
    text.inBlank = add(text.inBlank, beam.inBlank);
    text.inCharacter = add(text.inCharacter, beam.inCharacter);
    whole.set(prefix, text);
  }
  let found;
  let highest = -Infinity;
  for (const text of whole.values()) {
    const score = text.score() + weight * text.state.logProb(END);
    if (found === undefined || score > highest) [found, highest] = [text.prefix, score];
  }
  return found.slice(START.length).replaceAll(WORD_DELIMITER, " ");
}

/** Return log(exp(a) + exp(b)). */
function add(a, b) {
  if (a < b) [a, b] = [b, a];
  return b === -Infinity ? a : a + Math.log1p(Math.exp(b - a));
}
