import assert from "node:assert/strict";
import { test } from "node:test";
import { alignedRuns } from "./alignment.js";
import { beamSearch } from "./beam-search.js";
import { END, START } from "./constants.js";
import { wordOf } from "./decoding.js";
import { CharacterModel, LanguageModel } from "./language-model.js";

const log10 = (value) => Math.log10(value).toFixed(7);
const arpa = (...levels) =>
  levels.map((rows, i) => [`\\${i + 1}-grams:`, ...rows, ""].join("\n")).join("\n") + "\n\\end\\\n";

// As u2u_hf.recognition.language_model writes it for "ka mi" and "ka", characters of order 1: see the Python test of
// words and letters by hand, with the same numbers.
const [TWICE, ONCE] = [2 / 15 + 6 / 15 / 7, 1 / 15 + 6 / 15 / 7];
const LETTERS = arpa([
  ...[`${log10(TWICE)}\ta`, `${log10(ONCE)}\ti`, `${log10(TWICE)}\tk`, `${log10(ONCE)}\tm`, `${log10(ONCE)}\t|`],
  ...[`${log10(TWICE)}\t</s>`, "-99.0000000\t<s>", `${log10(6 / 15 / 7)}\t<unk>`],
]);
const WORDS = arpa(
  [
    ...[`-99.0000000\t<s>\t${log10(1 / 3)}`, `${log10(2 / 5)}\tka\t${log10(1 / 2)}`],
    ...[`${log10(1 / 5)}\tmi`, `${log10(2 / 5)}\t<unk>`],
  ],
  [`${log10(2 / 3 + 2 / 15)}\t<s> ka\t${log10(1 / 2)}`, `${log10(1 / 2 + 1 / 10)}\tka mi`],
  [`${log10(1 / 2 + 1 / 2 * (1 / 2 + 1 / 10))}\t<s> ka mi`],
);

function probability(model, text, character) {
  let state = model.start();
  for (const before of text) state = state.after(before);
  return Math.exp(state.logProb(character));
}

const near = (found, expected) => assert.ok(Math.abs(found - expected) < 1e-6, `${found} is not ${expected}`);

test("words and letters by hand", () => {
  const model = new LanguageModel({ weight: 1, bonus: 0, share: 0.5 }, LETTERS, WORDS);
  const known = 0.5 * (2 / 3 + 2 / 15);
  const letters = 0.5 + 0.5 * (2 / 15);
  near(probability(model, "", "k"), known + letters * TWICE);
  near(probability(model, "", "m"), 0.5 / 15 + letters * ONCE);
  near(probability(model, "k", "a"), (known + letters * TWICE * TWICE) / (known + letters * TWICE));
  const spelled = letters * TWICE * TWICE;
  const ends = (known + spelled * (ONCE + TWICE)) / (known + spelled);
  near(probability(model, "ka", "|"), (ends * ONCE) / (ONCE + TWICE));
  near(probability(model, "ka", END), (ends * TWICE) / (ONCE + TWICE));
  near(probability(model, "ka|", "m"), 0.5 * (1 / 2 + 1 / 4 + 1 / 20) + (0.5 + 0.05) * ONCE);
  near(probability(model, "i", "ñ"), 6 / 15 / 7);
});

test("contexts back off character by character, also of letters that are two units long", () => {
  const single = ["-1\t𐐨\t-0.5", "-2\ta", "-99\t<s>\t-0.25", "-3\t</s>", "-4\t<unk>"];
  const model = new CharacterModel(arpa(single, ["-0.125\t<s> 𐐨\t-0.0625"]));
  near(model.logProb(START, "𐐨"), -0.125 * Math.LN10);
  near(model.logProb(START, "a"), -2.25 * Math.LN10);
  near(model.logProb(`${START}𐐨`, "a"), -2.5625 * Math.LN10);
  near(model.logProb("𐐨", "u"), -4.5 * Math.LN10);
  assert.equal(model.longer(`${START}`, "𐐨"), "𐐨"); // order 2: one character is context
});

test("a file without its end is damaged", () => {
  assert.throws(() => new CharacterModel(LETTERS.slice(0, -8)), /no end/);
});

test("numbers that are no probability, missing n-grams and invalid weights are named, as in Python", () => {
  const problem = (detail) => ({ code: "language-model", detail });
  for (const number of ["nan", "-inf", "Infinity", "0.1", "", "x"]) {
    const wrong = problem("a number is no probability");
    assert.throws(() => new CharacterModel(arpa([`${number}\ta`, "-99\t<s>", "-1\t<unk>"])), wrong, number);
    assert.throws(() => new CharacterModel(arpa([`-1\ta\t${number}`, "-99\t<s>", "-1\t<unk>"])), wrong, number);
  }
  assert.throws(() => new CharacterModel(arpa(["-1\ta", "-99\t<s>"])), problem("n-grams are missing"));
  const right = { weight: 1, bonus: 0, share: 0.5 };
  for (const wrong of [{ weight: NaN }, { bonus: "1" }, { share: 1.5 }, { share: -0.1 }, { weight: undefined }]) {
    const build = () => new LanguageModel({ ...right, ...wrong }, LETTERS, WORDS);
    assert.throws(build, problem("a weight is invalid"), JSON.stringify(wrong));
  }
  assert.equal(new LanguageModel({ weight: 1, bonus: 0 }, LETTERS, null).share, 0);
});

const LABELS = { symbols: ["", "|", "k", "a", "m", "i"], blank: 0 };
const rows = (...likely) =>
  Float32Array.from(likely.flatMap((row) => LABELS.symbols.map((symbol) => Math.log(row[symbol] ?? 0.001))));

test("the language model decides where the sound does not, and the words get their times", () => {
  const model = new LanguageModel({ weight: 1, bonus: 0, share: 0.5 }, LETTERS, WORDS);
  const blank = { "": 0.99 };
  const unsure = [{ k: 0.5, m: 0.45 }, blank, { a: 0.5, i: 0.45 }];
  const heard = rows({ k: 0.5, m: 0.49 }, { a: 0.9 }, { "|": 0.9 }, ...unsure, blank);
  const text = beamSearch(heard, LABELS, model);
  assert.equal(text, "ka mi");
  const words = alignedRuns(heard, text, LABELS).map((own) => wordOf(own, LABELS, 100));
  // Frame 0 begins at 40 / 16 = 2.5 ms, frame 2 at 42.5, frame 3 at 62.5, frame 6 at 122.5.
  assert.deepEqual(
    words.map((word) => [word.text, word.start_ms, word.end_ms]),
    [
      ["ka", 102, 142],
      ["mi", 162, 222],
    ],
  );
  near(words[1].confidence, 0.45);
  assert.equal(beamSearch(new Float32Array(0), LABELS, model), "");
  assert.deepEqual(alignedRuns(heard, "", LABELS), []);
});
