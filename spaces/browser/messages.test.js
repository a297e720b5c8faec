import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { MESSAGES } from "./messages.js";

const here = new URL(".", import.meta.url);
const names = Object.keys(MESSAGES.en);

test("every language says the same, with the same values", () => {
  for (const [code, messages] of Object.entries(MESSAGES)) {
    assert.deepEqual(Object.keys(messages), names, code);
    for (const name of names) {
      const values = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
      assert.deepEqual(values(messages[name]), values(MESSAGES.en[name]), `${code} ${name}`);
    }
  }
});

test("all that pages and problems ask for is there", () => {
  const files = readdirSync(here).filter((name) => /(?<!test)\.(js|html)$/.test(name));
  const source = files.map((name) => readFileSync(new URL(name, here), "utf-8")).join("\n");
  const problems = [...source.matchAll(/new Problem\(\s*"([\w-]+)"/g)].map(([, code]) => `problem_${code}`);
  const shown = [...source.matchAll(/data-t="(\w+)"|\bt\("(\w+)"/g)].map(([, html, js]) => html ?? js);
  assert.ok(problems.length > 5 && shown.length > 20);
  for (const name of [...problems, ...shown]) assert.ok(names.includes(name), name);
});
