"""growth.html: how a recogniser grew, and what more correcting would bring, as one page without other files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from u2u_hf.evaluation.verdict import verdict
from u2u_hf.growth.growth import Row
from u2u_hf.reports.html import Markup, document, element, joined, listed, numbers, table
from u2u_hf.reports.quantities import length
from u2u_hf.reports.stylesheet import STYLE
from u2u_hf.reports.svg import bar, intervals

_HELD_OUT = (
    "CER is the share of wrong characters in recordings that were never trained on, the same ones in every round. "
    "From–to is its 95 % interval for sentences like these; it does not hold for other speakers or microphones."
)
_CHANGED = (
    "The share of the characters of the drafts that people had to change: the direct measure of what a draft is worth. "
    "Where only some segments of a tier were corrected, these alone count; they are often the worst ones, because the "
    "queue puts them first."
)
_LAW = (
    "From short trainings on a quarter, half and all of the training data, from the same base model and for the same "
    "time, whose error rates follow a power law. Four of five error rates should come to lie between from and to. It "
    "holds for more speech of the kind that there is."
)


def growth_page(rows: Sequence[Row], changes: Sequence[str], problems: Sequence[str]) -> str:
    """Return the whole page as HTML.

    Args:
        rows: the first round first; at least one.
        changes: sentences on what people changed before the last round.
        problems: what the last round could not use, and why.
    """
    last = rows[-1]
    amounts: list[tuple[str | int, str]] = [
        (f"{last.cer:.1%}", "of characters wrong (CER)"),
        (length(last.hours), "of transcribed speech in training"),
        (len(rows), "round" if len(rows) == 1 else "rounds"),
    ]
    if last.edited_share is not None:
        amounts.append((f"{last.edited_share:.1%}", "of the last drafts had to be changed"))
    top = [element("p", f"{_trend(rows)} For drafts this means: {verdict(last.cer)}."), numbers(amounts)]
    sections = [
        ("Error rate", _rates(rows)),
        ("What more would bring", _forecast(last)),
        ("Worth of the drafts", _worth(rows)),
        ("Hours by speaker", _speakers(last.speakers)),
    ]
    if changes or problems:
        told = joined(listed("Changed", list(changes)), listed("Not used, or in part", list(problems)))
        sections.append(("Since the round before", told))
    return document("How the recogniser grew", STYLE, top, sections)


def _trend(rows: Sequence[Row]) -> str:
    last = rows[-1]
    if len(rows) == 1:
        return f"After the first round {last.cer:.1%} of the characters are wrong."
    if not last.is_better:
        return f"Round {last.round} gave no better recogniser: the one before stays in use, with {last.cer:.1%} wrong."
    before = rows[-2]
    return f"Round {last.round} brought the share of wrong characters from {before.cer:.1%} to {last.cer:.1%}."


def _rates(rows: Sequence[Row]) -> Markup:
    measured = [((row.hours, 100 * row.cer), _percent(row.cer_interval)) for row in rows]
    expected = [
        ((rows[-1].hours + f["more_hours"], 100 * f["rate"]), _percent(f["interval"]))
        for f in rows[-1].forecast
        if f["interval"] and f["more_hours"] <= 2 * max(rows[-1].hours, 0.5)
    ]
    # A dash too far out would squeeze the rounds into a corner: what is farther stands in the table below.
    ends = [high for _, (_, high) in [(p, i or (0, p[1])) for p, i in (*measured, *expected)]]
    plot = intervals(measured, expected, min(100.0, 1.05 * max(ends)), "hours of speech in training", "CER, %")
    keys = [element("span", "measured after each round", class_="key line-1")]
    if expected:
        keys.append(element("span", "expected, with an 80 % interval", class_="key line-2"))
    most = max(row.cer for row in rows) or 1.0
    lines = [
        (
            row.round,
            bar(row.cer / most),
            f"{row.cer:.1%}",
            f"{row.cer_interval[0]:.1%}–{row.cer_interval[1]:.1%}",
            length(row.hours),
            row.utterances,
            "" if row.is_better else "no better one",
        )
        for row in rows
    ]
    heads = ("round", "|", "#CER", "#from–to", "#in training", "#held-out sentences", "recogniser")
    notes = [element("p", _HELD_OUT, class_="soft")]
    if not all(row.is_comparable for row in rows):
        notes.append(
            element(
                "p", "The held-out recordings changed so much that rounds are not of the same sentences.", class_="soft"
            )
        )
    return joined(element("p", *keys), element("div", plot, class_="card alone"), table(heads, lines), *notes)


def _forecast(last: Row) -> Markup:
    if not last.forecast:
        why = "Not measured in this round: it takes some short trainings. Give grow.py --time_budget or --forecast."
        return element("p", why)
    lines = [
        (
            f"{length(f['more_hours'])} more",
            f"{f['rate']:.1%}" if f["interval"] else "cannot be told yet",
            "–".join(f"{end:.1%}" for end in f["interval"]) if f["interval"] else "",
            f["why_not"],
        )
        for f in last.forecast
    ]
    heads = ("transcribed speech", "#CER then", "#from–to (80 %)", "why not")
    now = element("p", f"Now: {last.cer:.1%} with {length(last.hours)}.")
    return joined(now, table(heads, lines), element("p", _LAW, class_="soft"))


def _worth(rows: Sequence[Row]) -> Markup:
    told = [row for row in rows if row.edited_share is not None]
    if not told:
        return element("p", "Nobody has corrected a draft yet.")
    lines = [
        (row.round, bar(min(1.0, row.edited_share or 0)), f"{row.edited_share:.1%}", f"{row.edited_characters:,}")
        for row in told
    ]
    heads = ("corrected before round", "|", "#had to be changed", "#characters looked through")
    return joined(table(heads, lines), element("p", _CHANGED, class_="soft"))


def _speakers(speakers: Mapping[str, float]) -> Markup:
    most = max(speakers.values(), default=1.0) or 1.0
    lines = [(name, bar(hours / most), length(hours)) for name, hours in speakers.items()]
    return table(("speaker", "|", "#in training"), lines)


def _percent(ends: Sequence[float] | None) -> tuple[float, float] | None:
    return (100 * ends[0], 100 * ends[1]) if ends else None
