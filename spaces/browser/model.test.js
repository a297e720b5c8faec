import assert from "node:assert/strict";
import { test } from "node:test";
import { licenceOf } from "./model.js";

test("the licences of a card are those of its first lines", () => {
  const card = (...lines) => ["---", ...lines, "---", "license: mit"].join("\n");
  assert.equal(licenceOf(card("language: xty", "license: cc-by-nc-sa-4.0", "tags: [a]")), "cc-by-nc-sa-4.0");
  assert.equal(licenceOf(card("license:", "- mit", "- cc-by-4.0", "tags:", "- ctc")), "mit, cc-by-4.0");
  assert.equal(licenceOf(card("license: [mit, 'cc0-1.0'] # both")), "mit, cc0-1.0");
  assert.equal(licenceOf(card("license: apache-2.0").replaceAll("\n", "\r\n")), "apache-2.0");
  const without = [card("license_name: mit"), card("license:", "tags:", "- a"), "---\nlicense: mit", "license: mit", ""];
  for (const text of without) assert.equal(licenceOf(text), "");
});
