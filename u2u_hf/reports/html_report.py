"""report.html: what a corpus holds and what a preparation makes of it, as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from u2u_hf.records import Utterance
from u2u_hf.reports.characters import PLAIN_MARKS, Character, Inventory, code_point, excerpt, shown
from u2u_hf.reports.html import MOST_ROWS, Markup, document, element, folded, joined, listed, numbers, table, titled
from u2u_hf.reports.stylesheet import STYLE
from u2u_hf.reports.survey import Survey, characters_per_second, hours_by, length, reasons
from u2u_hf.reports.svg import bar, histogram, scatter


def page(survey: Survey, report: dict[str, Any]) -> str:
    """The whole page.

    Args:
        report: from `report.preparation_report`.
    """
    sections = [
        ("Files", _files(survey)),
        ("Tiers", _tiers(survey)),
        ("Durations and pace", _speech(survey)),
        ("Hours", _hours(survey, report)),
        ("Characters", _characters(survey, report)),
        ("Text rules", _rules(report)),
        ("Left out", _left_out(survey)),
    ]
    return document(f"What is in {survey.name}", STYLE, (_problem(report["problem"]), _numbers(survey)), sections)


def _problem(problem: str | None) -> Markup | None:
    return (
        element("p", element("b", "No dataset can be made of this yet. "), problem, class_="problem")
        if problem
        else None
    )


def _numbers(survey: Survey) -> Markup:
    kept = survey.kept
    return numbers(
        [
            (length(sum(u.duration for u in kept) / 3600), "to learn from"),
            (f"{len(kept):,}", "utterances"),
            (f"{len(survey.left_out):,}", "left out"),
            (len({u.speaker for u in kept}), "speakers"),
            (len({u.recording for u in kept}), "recordings"),
            (len(survey.characters.characters), "different characters"),
        ]
    )


def _files(survey: Survey) -> Markup:
    found = (
        f"{survey.annotation_files} annotation files and {survey.audio_files} recordings were found; "
        f"{len(survey.recordings)} pairs can be used."
    )
    unusable = table(("file", "why it is not used"), survey.unusable)
    lonely = table(("recording that no annotation file belongs to",), [(path,) for path in survey.without_annotation])
    pairs = table(("recording", "its audio"), survey.recordings.items())
    return joined(element("p", found), unusable, lonely, folded("All pairs", pairs))


def _tiers(survey: Survey) -> Markup:
    rows = [
        (
            element("b", tier.name),
            _chosen(tier.chosen, tier.files, tier.why),
            ", ".join(tier.linguistic_types),
            ", ".join(tier.participants),
            tier.files,
            tier.annotations,
            length(tier.hours),
            element("div", *(_quote(excerpt(sample, "", 90)) for sample in tier.samples)),
        )
        for tier in survey.tiers
    ]
    heads = ("tier", "chosen", "linguistic type", "participant", "#files", "#annotations", "#length", "samples")
    return table(heads, rows)


def _chosen(chosen: int, files: int, why: str) -> Markup:
    verdict = ("yes" if chosen == files else f"in {chosen} of {files} files") if chosen else "no"
    return element("div", element("span", verdict, class_="yes" if chosen else None), f": {why}" if why else "")


def _speech(survey: Survey) -> Markup:
    paces = {o.utterance: index for index, o in enumerate(survey.outliers)}

    def points(utterances: Iterable[Utterance]) -> list[tuple[float, float]]:
        return [(u.duration, pace) for u in utterances if u not in paces and (pace := characters_per_second(u))]

    left_out = [u for u, _ in survey.left_out]
    far = [
        ((o.utterance.duration, o.characters_per_second), f"#far-{index}", _where(survey, o.utterance))
        for index, o in enumerate(survey.outliers[:MOST_ROWS])
    ]
    key = element("p", *(element("span", word, class_=f"key {kind}") for kind, word in _KEY))
    durations = histogram([u.duration for u in survey.kept], [u.duration for u in left_out], "seconds", "utterances")
    pace = scatter(points(survey.kept), points(left_out), far, "seconds", "characters a second")
    rows = [
        (
            o.utterance.recording,
            o.utterance.tier,
            element("span", survey.time(o.utterance), class_="time", id=f"far-{index}"),
            f"{o.utterance.duration:.2f}",
            f"{o.characters_per_second:.1f}",
            _quote(excerpt(o.utterance.text, "", 90)),
            o.reason or "kept",
        )
        for index, o in enumerate(survey.outliers)
    ]
    plots = element("div", element("div", durations, class_="card"), element("div", pace, class_="card"), class_="pair")
    heads = ("recording", "tier", "time in ELAN", "#seconds", "#characters a second", "text", "kept or why not")
    outliers = (
        table(heads, rows, open_rows=15) if rows else element("p", "None is far faster or slower than the others.")
    )
    about = "Far faster or slower than the others: most often the times or the text of the annotation are wrong."
    return joined(key, plots, element("h3", "Outliers"), element("p", about, class_="soft"), outliers)


_KEY = (("kept", "kept"), ("out", "left out"), ("far", "outlier"))


def _hours(survey: Survey, report: dict[str, Any]) -> Markup:
    splits = [
        (name, row["utterances"], length(row["hours"]), len(row["recordings"]), len(row["speakers"]))
        for name, row in report["splits"].items()
    ]
    close = [(c["recording"], c["tier"], c["channel"] + 1, c["margin_db"]) for c in report["channels"] if c["close"]]
    return joined(
        table(("split", "#utterances", "#length", "#recordings", "#speakers"), splits),
        element("h3", "By speaker"),
        _bars("speaker", hours_by(survey.kept, lambda u: u.speaker)),
        element("h3", "By recording"),
        _bars("recording", hours_by(survey.kept, lambda u: u.recording)),
        element("h3", "Speakers whose channel is not certain") if close else None,
        table(("recording", "tier", "#channel taken", "#louder by dB"), close),
    )


def _bars(what: str, hours: dict[str, float]) -> Markup:
    most = max(hours.values(), default=1)
    return table((what, "|", "#length"), [(name, bar(h / most), length(h)) for name, h in hours.items()])


def _characters(survey: Survey, report: dict[str, Any]) -> Markup:
    found = survey.characters
    unseen = report["characters_unseen_in_training"]
    ways = [
        joined(*(f"{'' if i == 0 else ', '}{_spelled(w.text)} ({w.count:,} ×)" for i, w in enumerate(group)))
        for group in survey.written.mixed_forms
    ]
    alike = [
        ", ".join(f"{shown(c.character)} {c.code_point} ({c.count:,} ×)" for c in group) for group in found.look_alikes
    ]
    sequences = [
        (_glyph(s.text), " ".join(map(code_point, s.text)), s.count, _quote(excerpt(s.example.text, s.text)))
        for s in found.sequences
    ]
    about = f"{found.total:,} characters in all annotations of the chosen tiers, after the text rules."
    missing = f"Training never shows: {' '.join(map(shown, unseen))}" if unseen else None
    return joined(
        element("p", about, class_="soft"),
        element("p", missing, class_="problem") if missing else None,
        listed("Easily taken for each other", alike),
        listed("The same letter in several spellings, as the annotations have it", ways),
        _inventory(survey, found, lambda u: u.text),
        titled("Letters with combining marks", table(("letter", "code points", "#count", "example"), sequences)),
        titled(
            "In the annotations, not in the text",
            _inventory(survey, survey.written, lambda u: u.raw_text, survey.removed),
        ),
    )


def _inventory(
    survey: Survey, found: Inventory, text_of: Callable[[Utterance], str], characters: Sequence[Character] | None = None
) -> Markup:
    characters = found.characters if characters is None else characters
    # The space would dwarf the letters.
    most = max((c.count for c in characters if c.character != " "), default=1)
    rows = [
        (
            _glyph(shown(c.character)),
            element("span", c.code_point, class_="code"),
            c.name,
            bar(min(1, c.count / most)),
            c.count,
            element("div", *(_mark(mark) for mark in c.marks)) if c.marks else "",
            element(
                "div",
                _quote(excerpt(text_of(c.example), c.character)),
                element("span", _where(survey, c.example), class_="where") if c.marks else None,
            ),
        )
        for c in characters
    ]
    return table(("character", "code point", "name", "|", "#count", "marks", "example"), rows)


def _glyph(text: str) -> Markup:
    return element("span", text, class_="glyph" if len(text) < 4 else None)


def _mark(mark: str) -> Markup:
    return element("span", mark, class_="mark" if mark in PLAIN_MARKS else "mark odd")


def _spelled(text: str) -> str:
    return f"{shown(text) if len(text) == 1 else text} {' '.join(map(code_point, text))}"


def _rules(report: dict[str, Any]) -> Markup:
    rows = []
    for rule, count in report["rules"].items():
        before, after = report["rule_examples"].get(rule, ("", ""))
        rows.append((rule, count, _quote(excerpt(before, "", 90)), _quote(excerpt(after, "", 90))))
    return table(("rule", "#annotations changed", "the first, before", "and after"), rows)


def _left_out(survey: Survey) -> Markup:
    rows = [
        (count, reason, first.recording, first.tier, survey.time(first), _quote(excerpt(first.raw_text, "", 90)))
        for reason, (count, first) in reasons(survey.left_out).items()
    ]
    if not rows:
        return element("p", "Nothing.")
    return table(("#utterances", "why", "first in", "tier", "time in ELAN", "annotation"), rows)


def _where(survey: Survey, utterance: Utterance) -> str:
    return f"{utterance.recording}, {utterance.tier}, {survey.time(utterance)}"


def _quote(text: str) -> Markup:
    return element("span", text, class_="quote", dir="auto")
