import assert from "node:assert/strict";
import { test } from "node:test";
import { actionOf, KEYS } from "./keys.js";
import { Segments } from "./segments.js";
import { clock, parseClock } from "./time.js";
import { WORDS, wordsIn } from "./words.js";

const word = (text, start_ms, end_ms) => ({ text, start_ms, end_ms, confidence: 0.9 });
const FIRST = {
  channel: 0,
  start_ms: 1000,
  end_ms: 3000,
  text: "ba ñu ko",
  confidence: 0.8,
  words: [word("ba", 1100, 1400), word("ñu", 1600, 2000), word("ko", 2200, 2900)],
};
const OTHER = { channel: 1, start_ms: 2000, end_ms: 4000, text: "wa", confidence: 0.99, words: [word("wa", 2100, 3000)] };
const LAST = { channel: 0, start_ms: 5000, end_ms: 6000, text: "yi", confidence: 0.6, words: [word("yi", 5100, 5900)] };

function opened() {
  let time = 0;
  const segments = new Segments({ durationMs: 10_000, channels: 2, now: () => (time += 5000) });
  const ids = segments.load([FIRST, LAST, OTHER]);
  return { segments, ids, wait: (ms) => (time += ms - 5000) };
}

const spans = (segments) => segments.list.map((s) => [s.channel, s.start_ms, s.end_ms, s.text]);

test("what was left as it is is written as it was, in order of channel, then of time", () => {
  const { segments } = opened();
  assert.deepEqual(segments.written(), [FIRST, LAST, OTHER]);
});

test("a segment found where a person was before is trimmed to the longest free time, or not added", () => {
  const { segments } = opened();
  segments.insert(0, 6200); // to 7200
  segments.insert(0, 8000); // to 9000
  const found = (start_ms, end_ms, channel = 0) => ({ channel, start_ms, end_ms, pending: true });
  const ids = segments.load([found(5900, 6150), found(6500, 8400), found(8100, 8900), found(8500, 9500, 1)]);
  assert.deepEqual(
    ids.map((id) => segments.get(id) && [segments.get(id).start_ms, segments.get(id).end_ms]),
    [[6000, 6150], [7200, 8000], undefined, [8500, 9500]],
  );
  segments.load([found(8900, 9900)]);
  segments.load([found(7100, 9990)]); // nothing longer than 90 ms is free
  assert.deepEqual(spans(segments).slice(-2), [
    [0, 9000, 9900, ""],
    [0, 9900, 9990, ""],
  ]);
  segments.recognised(ids[1], { text: "mi wa", words: [word("mi", 7000, 7400), word("wa", 7500, 7900)] });
  assert.deepEqual(segments.get(ids[1]).words, [word("mi", 7200, 7400), word("wa", 7500, 7900)]);
  segments.recognised(ids[2], { text: "nowhere" });
  assert.ok(segments.written().every(({ text }) => text !== "nowhere"));
});

test("what was undone cannot be redone over a segment found there since", () => {
  const { segments } = opened();
  segments.insert(0, 8000);
  segments.undo();
  segments.load([{ channel: 0, start_ms: 8500, end_ms: 9500 }]);
  assert.equal(segments.redo(), null);
  assert.equal(segments.canRedo, false);
  assert.deepEqual(spans(segments).at(-1), [0, 8500, 9500, ""]);
});

test("a corrected text is sure, without times of words; line breaks are spaces; checked is sure", () => {
  const { segments, ids } = opened();
  segments.setText(ids[0], " ba\nnu ");
  segments.check(ids[1], true);
  const [first, last] = segments.written();
  assert.deepEqual(first, { ...FIRST, text: "ba nu", confidence: 1, words: [] });
  assert.deepEqual(last, { ...LAST, confidence: 1 });
});

test("borders stop at the neighbours of the channel and at the ends of the recording, in whole ms", () => {
  const { segments, ids } = opened();
  segments.setBorders(ids[0], -50.2, 5400);
  assert.deepEqual([segments.get(ids[0]).start_ms, segments.get(ids[0]).end_ms], [0, 5000]);
  segments.setBorders(ids[1], 5000.4, 99_999);
  assert.deepEqual([segments.get(ids[1]).start_ms, segments.get(ids[1]).end_ms], [5000, 10_000]);
  segments.setBorders(ids[2], 3999, 4000); // as short as may be
  assert.deepEqual([segments.get(ids[2]).start_ms, segments.get(ids[2]).end_ms], [3999, 4009]);
});

test("words end where the segment ends; a word without any time takes all times with it", () => {
  const { segments, ids } = opened();
  segments.setBorders(ids[0], 1000, 2500);
  assert.deepEqual(segments.get(ids[0]).words.at(-1), { ...FIRST.words[2], end_ms: 2500 });
  segments.setBorders(ids[0], 1000, 2100);
  assert.deepEqual(segments.get(ids[0]).words, []);
  assert.equal(segments.get(ids[0]).text, "ba ñu ko");
});

test("split at a time: each word goes to the side of its middle", () => {
  const { segments, ids } = opened();
  const id = segments.split(ids[0], { atMs: 1700 });
  assert.deepEqual(spans(segments).slice(0, 2), [
    [0, 1000, 1700, "ba"],
    [0, 1700, 3000, "ñu ko"],
  ]);
  assert.equal(id, ids[0]);
  assert.deepEqual(segments.list[1].words, [{ ...FIRST.words[1], start_ms: 1700 }, FIRST.words[2]]);
});

test("split in the text: between words in the middle of their pause, in a word in proportion", () => {
  const { segments, ids } = opened();
  segments.split(ids[0], { caret: 6 });
  assert.deepEqual(spans(segments)[0], [0, 1000, 2100, "ba ñu"]);
  assert.deepEqual(segments.list[0].words, FIRST.words.slice(0, 2));
  segments.undo();
  segments.split(ids[0], { caret: 4 }); // ba ñ|u ko: half of 8 characters
  assert.deepEqual(spans(segments).slice(0, 2), [
    [0, 1000, 2000, "ba ñ"],
    [0, 2000, 3000, "u ko"],
  ]);
  assert.deepEqual(segments.list[0].words, []);
});

test("join takes the next segment of the channel, with its words and the lower confidence", () => {
  const { segments, ids } = opened();
  assert.equal(segments.join(ids[0]), ids[0]);
  const joined = { ...FIRST, end_ms: 6000, text: "ba ñu ko yi", confidence: 0.6 };
  assert.deepEqual(segments.written(), [{ ...joined, words: [...FIRST.words, ...LAST.words] }, OTHER]);
  assert.equal(segments.join(ids[0]), null);
  assert.equal(segments.join(ids[2]), null);
});

test("a new segment begins at the cursor or after what is there, and ends at the next", () => {
  const { segments } = opened();
  segments.insert(0, 2000.4);
  segments.insert(0, 4500);
  segments.insert(1, 9990);
  assert.deepEqual(
    spans(segments).filter(([, , , text]) => !text),
    [
      [0, 3000, 4000, ""],
      [0, 4500, 5000, ""],
      [1, 9990, 10_000, ""],
    ],
  );
  assert.equal(segments.insert(1, 9995), null);
});

test("a segment changes its channel only where it is free", () => {
  const { segments, ids } = opened();
  assert.equal(segments.setChannel(ids[0], 1), null);
  segments.setChannel(ids[1], 1);
  assert.deepEqual(segments.written().map(({ channel, text }) => [channel, text]), [
    [0, "ba ñu ko"],
    [1, "wa"],
    [1, "yi"],
  ]);
});

test("everything is undone and redone, one step after the other", () => {
  const { segments, ids } = opened();
  const states = [segments.written()];
  const steps = [
    () => segments.setText(ids[0], "ba"),
    () => segments.setBorders(ids[0], 500, 2500),
    () => segments.split(ids[0], { atMs: 1500 }),
    () => segments.join(ids[0]),
    () => segments.check(ids[2], true),
    () => segments.insert(1, 7000),
    () => segments.setChannel(ids[1], 1),
    () => segments.remove(ids[2]),
  ];
  for (const step of steps) {
    assert.notEqual(step(), null);
    states.push(segments.written());
  }
  for (const state of states.slice(0, -1).reverse()) {
    segments.undo();
    assert.deepEqual(segments.written(), state);
  }
  assert.equal(segments.undo(), null);
  assert.ok(!segments.canUndo);
  for (const state of states.slice(1)) {
    segments.redo();
    assert.deepEqual(segments.written(), state);
  }
  assert.equal(segments.redo(), null);
});

test("letters typed in one go are one step; after another change there is nothing to redo", () => {
  const { segments, ids, wait } = opened();
  segments.setText(ids[0], "b");
  wait(100);
  segments.setText(ids[0], "bo");
  segments.setText(ids[0], "bo la"); // 5 s later
  segments.undo();
  assert.equal(segments.get(ids[0]).text, "bo");
  segments.undo();
  assert.equal(segments.get(ids[0]).text, FIRST.text);
  segments.check(ids[1], true);
  assert.equal(segments.redo(), null);
});

test("what is still being recognised cannot be changed, and its text is no step to undo", () => {
  const { segments } = opened();
  const [id] = segments.load([{ channel: 1, start_ms: 6000, end_ms: 7000, pending: true }]);
  assert.equal(segments.setText(id, "x"), null);
  assert.equal(segments.setBorders(id, 6100, 7000), null);
  assert.equal(segments.split(id, { atMs: 6500 }), null);
  assert.equal(segments.remove(id), null);
  segments.recognised(id, { text: "mi", confidence: 0.7, words: [] });
  assert.equal(segments.get(id).text, "mi");
  assert.ok(!segments.canUndo);
});

test("times are read as they are written", () => {
  for (const ms of [0, 999, 1000, 62_345, 3_599_999, 3_662_345, 36_000_001]) assert.equal(parseClock(clock(ms)), ms);
  assert.equal(clock(62_345), "1:02.345");
  assert.equal(clock(3_662_345, 1), "1:01:02.3");
  assert.equal(clock(59_999, 0), "0:59");
  assert.equal(parseClock("62,5"), 62_500);
  for (const text of ["", "soon", "1:2:3:4", "-1", "1e3"]) assert.equal(parseClock(text), null);
});

test("every key has one action, and AltGr types letters", () => {
  const event = (fields) => ({ ctrlKey: true, altKey: false, metaKey: false, shiftKey: false, ...fields });
  for (const [action, [key]] of Object.entries(KEYS)) assert.equal(actionOf(event({ key })), action);
  assert.equal(actionOf(event({ key: "Z", shiftKey: true })), "redo");
  assert.equal(actionOf(event({ key: "l", ctrlKey: false, metaKey: true })), "loop");
  for (const fields of [{ altKey: true }, { ctrlKey: false }, { isComposing: true }]) {
    assert.equal(actionOf(event({ key: "l", ...fields })), undefined);
  }
});

test("every language has the same texts, with the same values", () => {
  for (const [code, words] of Object.entries(WORDS)) {
    assert.deepEqual(Object.keys(words), Object.keys(WORDS.en), code);
    for (const name of Object.keys(words)) {
      const values = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
      assert.deepEqual(values(words[name]), values(WORDS.en[name]), `${code} ${name}`);
    }
  }
  for (const action of Object.keys(KEYS)) assert.ok(WORDS.en[action], action);
  assert.equal(wordsIn("es-MX")("undo"), "Deshacer");
  assert.equal(wordsIn("tlh")("undo"), "Undo");
});
