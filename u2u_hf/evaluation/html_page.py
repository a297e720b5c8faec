"""evaluation.html: how well a recogniser does on a split, as one page without other files."""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from u2u_hf.evaluation.metrics import CHARACTERS, MAIN, METRICS, WORDS, aligned, main_first, score_keys
from u2u_hf.reports.characters import shown
from u2u_hf.reports.html import Markup, document, element, joined, numbers, table
from u2u_hf.reports.quantities import elan_time, length
from u2u_hf.reports.stylesheet import STYLE
from u2u_hf.reports.svg import bar, lines
from u2u_hf.visible_text import code_point

_NOTHING = "–"
_PRIVATE = "This page names speakers and quotes them: show it only to people who may know both."
INTERVAL = (
    "From–to is the 95% confidence interval for utterances like these. It does not hold for other speakers, topics or "
    "microphones."
)


def evaluation_page(
    metrics: Mapping[str, Any],
    title: str,
    sounds: Sequence[bytes] = (),
    *,
    about_intervals: str = INTERVAL,
    more: Sequence[tuple[str, Markup]] = (),
) -> str:
    """Return the whole page as HTML.

    Args:
        metrics: from `scoring.measure`.
        sounds: FLAC files of the worst utterances, in their order, to be played on the page; or none.
        about_intervals: what the intervals of the scores hold for.
        more: headings and contents of sections after the scores.
    """
    rates = [
        (percent(metrics[name]), f"of {metric.unit} wrong ({metric.label})") for name, metric in main_first().items()
    ]
    amounts = [(f"{metrics['utterances']:,}", "utterances"), (length(metrics["seconds"] / 3600), "of speech")]
    top = [numbers([*rates, *amounts]), element("p", _PRIVATE, class_="soft")]
    sections = [
        ("Scores", _scores(metrics, about_intervals)),
        *more,
        *([("Confidence", confidence_section(metrics["confidence"]))] if "confidence" in metrics else []),
        ("Speakers", _groups("speaker", metrics["speakers"])),
        ("Recordings", _groups("recording", metrics["recordings"])),
        ("Characters", _errors(metrics["characters"], _letter)),
        ("Words", _errors(metrics["words"], lambda word: element("span", word or _NOTHING, dir="auto"))),
        ("Worst utterances", _worst(metrics["worst"], sounds)),
    ]
    return document(title, STYLE, top, sections)


def _scores(metrics: Mapping[str, Any], about: str) -> Markup:
    rows = [_score("as written", metrics)]
    if also := metrics.get("ignoring"):
        rows.append(_score(f"ignoring {', '.join(also['what'])}", also))
    heads = ["what is compared"]
    for metric in main_first().values():
        heads += [f"#{metric.label}", "#from–to"]
    return joined(table(heads, rows), element("p", about, class_="soft"))


def _score(what: str, scores: Mapping[str, float]) -> list[str]:
    return [what, *(cell for name in main_first() for cell in (percent(scores[name]), _interval(scores, name)))]


def confidence_section(found: Mapping[str, Any]) -> Markup:
    """Return how well confidence tells errors: a reliability diagram and a table.

    Args:
        found: from `reliability.reliability`.
    """
    kinds = {"raw": found["raw"], "calibrated": found["calibrated"]}
    told = {name: own for name, own in kinds.items() if own}
    points = [[(row["chance"], row["right"]) for row in own["bins"]] for own in told.values()]
    diagram = lines([[(0.0, 0.0), (1.0, 1.0)], *points], 1.0, "confidence of words", "share of them that is right")
    names = ["as it should be", *told]
    key = [element("span", name, class_=f"key line-{number}") for number, name in enumerate(names, 1)]
    rows = [
        (name, _area(own["words_auc"]), _area(own["segments_auc"]), f"{own['expected_errors']:,.0f}", found["errors"])
        for name, own in told.items()
    ]
    about = (
        f"{found['wrong_words']:,} of {found['words']:,} words are wrong. Area: of a right and a wrong word, how often "
        "the wrong one has the lower confidence (0.5 is chance, 1 is perfect); likewise for utterances that are worse "
        "than all together."
    )
    missing = None if kinds["calibrated"] else element("p", "The model's confidence is not calibrated.", class_="soft")
    heads = ("confidence", "#area, wrong words", "#area, worse utterances", "#errors expected", "#errors made")
    return joined(diagram, element("p", *key), missing, table(heads, rows), element("p", about, class_="soft"))


def _area(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.2f}"


def _groups(what: str, groups: Mapping[str, Mapping[str, Any]]) -> Markup:
    """Return a table of speakers or recordings, the worst first; the widest interval fills the scale of the bars."""
    main, *others = main_first()
    _, low, high = score_keys(main)
    most = max((scores[high] for scores in groups.values()), default=0) or 1
    rows = []
    for name, scores in groups.items():
        several = scores["utterances"] > 1  # one utterance gives the bootstrap nothing to draw from
        rows.append(
            (
                name or _NOTHING,
                bar(scores[main] / most, (scores[low] / most, scores[high] / most) if several else None),
                percent(scores[main]),
                _interval(scores, main) if several else "",
                *(percent(scores[other]) for other in others),
                scores["utterances"],
                length(scores["hours"]),
            )
        )
    labels = [f"#{metric.label}" for metric in main_first().values()]
    heads = (what, "|", labels[0], "#from–to", *labels[1:], "#utterances", "#length")
    return table(heads, rows, open_rows=30)


def _errors(errors: Sequence[Mapping[str, Any]], show: Any) -> Markup:
    if not errors:
        return element("p", "No errors.")
    most = errors[0]["count"]
    rows = [
        (
            show(error["reference"]),
            show(error["hypothesis"]),
            bar(error["count"] / most),
            error["count"],
            f"{error['of']:,}" if error["of"] else "",
        )
        for error in errors
    ]
    about = f"{_NOTHING} under “reference” is an insertion; under “hypothesis”, a deletion."
    return joined(
        element("p", about, class_="soft"),
        table(("reference", "hypothesis", "|", "#times", "#in reference"), rows, open_rows=20),
    )


def _letter(character: str) -> Markup:
    if not character:
        return element("span", _NOTHING, class_="glyph")
    glyph = element("span", shown(character), class_="glyph")
    return element("span", glyph, " ", element("span", code_point(character), class_="code soft"))


def _worst(worst: Sequence[Mapping[str, Any]], sounds: Sequence[bytes]) -> Markup:
    if not worst:
        return element("p", "Every utterance is right.")
    players = [_player(sound) for sound in sounds] or [None] * len(worst)
    rows = [
        (
            element("div", row["recording"], element("span", row["tier"], class_="where")),
            element("span", elan_time(row["start_ms"]), class_="time"),
            percent(row[MAIN]),
            element("div", side_by_side(row["reference"], row["hypothesis"]), player),
        )
        for row, player in zip(worst, players, strict=True)
    ]
    about = (
        "The utterances with the most wrong characters for their length. Often the reference or its times are wrong, "
        "not the recogniser."
    )
    return joined(
        element("p", about, class_="soft"),
        table(
            ("recording", "time", f"#{METRICS[MAIN].label}", "reference, and the hypothesis below it"),
            rows,
            open_rows=20,
        ),
    )


def _player(sound: bytes) -> Markup:
    data = base64.b64encode(sound).decode("ascii")
    return element("audio", controls="", preload="none", src=f"data:audio/flac;base64,{data}")


def side_by_side(reference: str, hypothesis: str) -> Markup:
    """Return the words of the reference with those of the hypothesis below them, differences marked."""
    columns = []
    for words in aligned(reference, hypothesis, WORDS):
        letters = aligned(*words, CHARACTERS)
        above = _marked([(a, a != b) for a, b in letters if a], class_="said")
        below = _marked([(b, a != b) for a, b in letters if b])
        columns.append(element("span", above, below))
    return element("div", *columns, class_="side", dir="auto")


def _marked(letters: Sequence[tuple[str, bool]], **attributes: str) -> Markup:
    """Return text with its wrong characters marked.

    A letter and its combining marks are drawn as one, so a wrong mark makes the whole letter wrong.
    """
    whole: list[tuple[str, bool]] = []
    for character, wrong in letters:
        if whole and unicodedata.combining(character):
            before, already = whole.pop()
            character, wrong = before + character, already or wrong
        whole.append((character, wrong))
    parts = []
    for wrong, group in groupby(whole, key=lambda letter: letter[1]):
        text = "".join(character for character, _ in group)
        parts.append(element("span", text, class_="wrong") if wrong else text)
    return element("span", *parts, **attributes)


def percent(rate: float) -> str:
    """Return an error rate in per cent with one decimal."""
    return f"{rate:.1%}"


def _interval(scores: Mapping[str, float], name: str) -> str:
    return f"{100 * scores[f'{name}_low']:.1f}–{scores[f'{name}_high']:.1%}"
