"""doctor.html: the probable faults, to hear and to accept."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from u2u_hf.doctor.findings import KINDS
from u2u_hf.evaluation.html_page import percent
from u2u_hf.reports.html import Markup, document, element, joined, listed, numbers
from u2u_hf.reports.quantities import elan_time
from u2u_hf.reports.stylesheet import STYLE

_STYLE = """
.kinds { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin: .5rem 0; }
.bar { position: sticky; top: 0; z-index: 1; background: var(--page); padding: .5rem 0; }
.finding { border-top: 1px solid var(--line); padding: .8rem 0; }
.finding[hidden] { display: none; }
.finding h3 { margin: 0; }
.finding label { cursor: pointer; }
.was { color: var(--soft); }
textarea { width: 100%; max-width: 46rem; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: 6px; padding: .3rem .5rem; }
button { font: inherit; padding: .4rem .9rem; border-radius: 6px; border: 1px solid var(--line);
  background: var(--kept); color: var(--page); cursor: pointer; }
"""
# What a person ticks and types is also kept by the browser, so that a page that was closed goes on where it was.
_SCRIPT = """
"use strict";
const rows = [...document.querySelectorAll(".finding")];
const save = document.getElementById("save");
const key = "u2u-hf doctor " + save.dataset.run;
const tick = (row) => row.querySelector("input[type=checkbox]");
const typed = (row) => row.querySelector("textarea");
function state() {
  const found = rows.filter((row) => tick(row) && tick(row).checked);
  return found.map((row) => ({ name: row.dataset.name, ...(typed(row) ? { text: typed(row).value } : {}) }));
}
function changed() {
  save.textContent = `Save ${state().length} accepted`;
  const texts = rows.filter(typed).map((row) => [row.dataset.name, typed(row).value]);
  try { localStorage.setItem(key, JSON.stringify({ accepted: state(), texts })); } catch { /* private window */ }
}
function restore() {
  let kept = null;
  try { kept = JSON.parse(localStorage.getItem(key)); } catch { return; }
  if (!kept) return;
  const texts = new Map(kept.texts), accepted = new Set(kept.accepted.map((one) => one.name));
  for (const row of rows) {
    if (tick(row)) tick(row).checked = accepted.has(row.dataset.name);
    if (typed(row) && texts.has(row.dataset.name)) typed(row).value = texts.get(row.dataset.name);
  }
}
document.addEventListener("change", (event) => {
  if (event.target.name === "kind") {
    for (const row of rows) row.hidden = event.target.value !== "" && row.dataset.kind !== event.target.value;
  } else changed();
});
document.addEventListener("input", (event) => {
  if (event.target.tagName !== "TEXTAREA") return;
  tick(event.target.closest(".finding")).checked = true;
  changed();
});
save.addEventListener("click", () => {
  const text = JSON.stringify({ accepted: state() }, null, 1) + "\\n";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  link.download = "accepted.json";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
restore();
changed();
"""
_PRIVATE = "This page quotes speakers and holds their voices: show it only to people who may hear them."


@dataclass(frozen=True)
class Summary:
    """What the page says beside the findings.

    Attributes:
        annotations: how many were read. flagged: how many of them are listed.
        cer: the character error rate of the recognisers that read them.
        notes: sentences about what could not be examined.
        command: how accepted findings are put into copies of the files.
        run: what tells this examination from others.
    """

    annotations: int
    flagged: int
    cer: float
    notes: Sequence[str]
    command: str
    run: str


def doctor_page(rows: Sequence[Mapping[str, Any]], sounds: Sequence[bytes | None], summary: Summary) -> str:
    """Return the whole page as HTML.

    Args:
        rows: of doctor.json, in their order. sounds: a FLAC file for each, or None.
    """
    minutes = sum(row["minutes"] for row in rows)
    boxes = [
        (f"{len(rows):,}", "probable faults"),
        (f"{minutes:.0f} min", "to hear and decide them all"),
        (f"{summary.annotations:,}", "annotations read"),
        (percent(summary.flagged / max(1, summary.annotations)), "of them listed"),
        (percent(summary.cer), "characters read otherwise than written (CER)"),
    ]
    about = (
        "Each annotation was read by a recogniser that never saw it. Faults that a minute of your time is worth most "
        "for come first. A recogniser errs too: hear before you accept. Tick what is right, change the text where you "
        f"hear another, save, and run: {summary.command}"
    )
    top = [
        numbers(boxes),
        element("p", _PRIVATE, class_="soft"),
        element("p", about),
        listed("Not examined", summary.notes),
    ]
    sections = [("Probable faults", _findings(rows, sounds, summary.run)), ("Kinds", _kinds())]
    return document("Probable faults in the transcripts", STYLE + _STYLE, top, sections, _SCRIPT)


def _findings(rows: Sequence[Mapping[str, Any]], sounds: Sequence[bytes | None], run: str) -> Markup:
    counts = Counter(row["kind"] for row in rows)
    choices = [("", f"all ({len(rows)})"), *((k, f"{KINDS[k][0]} ({counts[k]})") for k in KINDS if counts[k])]
    filters = (element("label", _choice(kind), label) for kind, label in choices)
    save = element("button", "Save", id="save", data_run=run)
    bar = element("div", element("div", *filters, class_="kinds"), save, class_="bar")
    if not rows:
        return element("p", "None was found.", element("button", "Save", id="save", data_run=run, hidden=""))
    return joined(bar, *(_finding(row, sound) for row, sound in zip(rows, sounds, strict=True)))


def _choice(kind: str) -> Markup:
    return element("input", type="radio", name="kind", value=kind, checked=None if kind else "")


def _finding(row: Mapping[str, Any], sound: bytes | None) -> Markup:
    edit = row["edit"] or {}
    title = f"{KINDS[row['kind']][0]}, {row['score']:.0%} sure"
    box = element("input", type="checkbox") if edit else None
    head = element("label", box, " ", title) if edit else joined(title, ": correct it by hand")
    where = f"{row['recording']}, tier {row['tier']}, {elan_time(row['start_ms'])} to {elan_time(row['end_ms'])}"
    typed = next((edit[name] for name in ("text", "add") if name in edit), None)
    body = [
        element("h3", head),
        element("span", where, f", {row['minutes']:.1f} min", class_="where"),
        element("div", row["text"], class_="was", dir="auto") if row["text"] else None,
        element("div", row["suggestion"], dir="auto"),
        _player(sound) if sound else None,
        None if typed is None else element("textarea", typed, rows="1", dir="auto", aria_label="corrected text"),
    ]
    return element("div", *body, class_="finding", data_kind=row["kind"], data_name=row["name"])


def _player(sound: bytes) -> Markup:
    data = base64.b64encode(sound).decode("ascii")
    return element("audio", controls="", preload="none", src=f"data:audio/flac;base64,{data}")


def _kinds() -> Markup:
    return element("ul", *(element("li", element("b", title), f": {about}") for title, about in KINDS.values()))
