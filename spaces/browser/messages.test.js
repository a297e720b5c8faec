import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { chooseLanguage, MESSAGES } from "./messages.js";

const here = new URL(".", import.meta.url);
const names = Object.keys(MESSAGES.en);
const read = (suffix) =>
  readdirSync(here)
    .filter((name) => name.endsWith(suffix) && !name.endsWith(".test.js"))
    .map((name) => readFileSync(new URL(name, here), "utf-8"))
    .join("\n");

test("every language has the same messages, with the same values", () => {
  for (const [code, messages] of Object.entries(MESSAGES)) {
    assert.deepEqual(Object.keys(messages), names, code);
    for (const name of names) {
      const values = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
      assert.deepEqual(values(messages[name]), values(MESSAGES.en[name]), `${code} ${name}`);
    }
  }
});

test("every message that pages and problems ask for exists", () => {
  const source = `${read(".js")}\n${read(".html")}`;
  const problems = [...source.matchAll(/new Problem\(\s*"([\w-]+)"/g)].map(([, code]) => `problem_${code}`);
  const shown = [...source.matchAll(/data-t="(\w+)"|\b(?:t|show|set|showPercent)\("(\w+)"/g)];
  assert.ok(problems.length > 5 && shown.length > 20);
  for (const name of [...problems, ...shown.map(([, html, js]) => html ?? js)]) assert.ok(names.includes(name), name);
});

test("the text in the HTML, seen before the scripts run, is the English message", () => {
  const texts = [...read(".html").matchAll(/data-t="(\w+)">([^<]+)</g)];
  assert.ok(texts.length > 20);
  for (const [, name, text] of texts) assert.equal(text, MESSAGES.en[name], name);
});

test("the first preferred language that has a catalogue is chosen, else English", () => {
  const catalogues = { en: {}, es: {}, nah: {}, "pt-BR": {} };
  const cases = [
    [[null, "es-MX", "en"], "es"],
    [[null, "fr", "nah"], "nah"],
    [["en", "es"], "en"],
    [["pt-BR"], "pt-BR"],
    [["eso"], "en"],
    [["tlh", "fr-FR"], "en"],
    [[null], "en"],
  ];
  for (const [preferred, chosen] of cases) assert.equal(chooseLanguage(catalogues, preferred), chosen);
});
