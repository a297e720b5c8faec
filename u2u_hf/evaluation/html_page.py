"""evaluation.html: how well a recogniser does on a split, as one page that needs nothing else."""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from u2u_hf.evaluation.metrics import CHARACTERS, WORDS, aligned
from u2u_hf.reports.characters import code_point, shown
from u2u_hf.reports.html import Markup, document, element, joined, numbers, table
from u2u_hf.reports.stylesheet import STYLE
from u2u_hf.reports.survey import clock, length
from u2u_hf.reports.svg import bar

_NOTHING = "–"


def page(metrics: Mapping[str, Any], title: str, sounds: Sequence[bytes] = ()) -> str:
    """The whole page.

    Args:
        metrics: from `evaluation.measure`.
        sounds: FLAC files of the worst utterances, in their order, to be heard in the page; or none.
    """
    top = [
        numbers(
            [
                (_percent(metrics["cer"]), "of characters wrong (CER)"),
                (_percent(metrics["wer"]), "of words wrong (WER)"),
                (f"{metrics['utterances']:,}", "utterances"),
                (length(metrics["seconds"] / 3600), "of speech"),
            ]
        ),
        element("p", _PRIVATE, class_="soft"),
    ]
    sections = [
        ("Scores", _scores(metrics)),
        ("Speakers", _groups("speaker", metrics["speakers"])),
        ("Recordings", _groups("recording", metrics["recordings"])),
        ("Characters", _errors(metrics["characters"], _letter)),
        ("Words", _errors(metrics["words"], lambda word: element("span", word or _NOTHING, dir="auto"))),
        ("Worst utterances", _worst(metrics["worst"], sounds)),
    ]
    return document(title, STYLE, top, sections)


_PRIVATE = "This page names speakers and quotes what they said: show it only to those who may know that."
_INTERVAL = (
    "From–to is the 95% confidence interval, for utterances like these. It says nothing of speakers, topics or "
    "microphones that are not among them."
)


def _scores(metrics: Mapping[str, Any]) -> Markup:
    rows = [_score("as written", metrics)]
    if also := metrics.get("ignoring"):
        rows.append(_score(f"ignoring {', '.join(also['what'])}", also))
    heads = ("what is compared", "#CER", "#from–to", "#WER", "#from–to")
    return joined(table(heads, rows), element("p", _INTERVAL, class_="soft"))


def _score(name: str, scores: Mapping[str, float]) -> tuple[str, ...]:
    return name, _percent(scores["cer"]), _interval(scores, "cer"), _percent(scores["wer"]), _interval(scores, "wer")


def _groups(what: str, groups: Mapping[str, Mapping[str, Any]]) -> Markup:
    """The worst first, with bars on a scale that the widest interval fills."""
    most = max((scores["cer_high"] for scores in groups.values()), default=0) or 1
    rows = []
    for name, scores in groups.items():
        several = scores["utterances"] > 1  # of one there is nothing to draw samples from
        ends = (scores["cer_low"] / most, scores["cer_high"] / most) if several else None
        rows.append(
            (
                name or _NOTHING,
                bar(scores["cer"] / most, ends),
                _percent(scores["cer"]),
                _interval(scores, "cer") if several else "",
                _percent(scores["wer"]),
                scores["utterances"],
                length(scores["hours"]),
            )
        )
    return table((what, "|", "#CER", "#from–to", "#WER", "#utterances", "#length"), rows, open_rows=30)


def _errors(errors: Sequence[Mapping[str, Any]], show: Any) -> Markup:
    if not errors:
        return element("p", "None is wrong.")
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
    about = f"{_NOTHING} under “said” was heard though nobody said it; under “heard”, it was missed."
    return joined(
        element("p", about, class_="soft"),
        table(("said", "heard", "|", "#times", "#of times said"), rows, open_rows=20),
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
            element("span", clock(row["start_ms"]), class_="time"),
            _percent(row["cer"]),
            element("div", side_by_side(row["reference"], row["hypothesis"]), player),
        )
        for row, player in zip(worst, players, strict=True)
    ]
    about = "With the most characters wrong beyond what is usual for their length: often the text or the times are."
    return joined(
        element("p", about, class_="soft"),
        table(("recording", "time", "#CER", "said, and below it what was heard"), rows, open_rows=20),
    )


def _player(sound: bytes) -> Markup:
    data = base64.b64encode(sound).decode("ascii")
    return element("audio", controls="", preload="none", src=f"data:audio/flac;base64,{data}")


def side_by_side(reference: str, hypothesis: str) -> Markup:
    """Words one below the other, said and heard, with what differs marked."""
    columns = []
    for said, heard in aligned(reference, hypothesis, WORDS):
        letters = aligned(said, heard, CHARACTERS)
        above = _marked([(a, a != b) for a, b in letters if a], class_="said")
        below = _marked([(b, a != b) for a, b in letters if b])
        columns.append(element("span", above, below))
    return element("div", *columns, class_="side", dir="auto")


def _marked(letters: Sequence[tuple[str, bool]], **attributes: str) -> Markup:
    """Text in which some characters are wrong; a combining mark makes its whole letter wrong, which is drawn as one."""
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


def _percent(rate: float) -> str:
    return f"{rate:.1%}"


def _interval(scores: Mapping[str, float], name: str) -> str:
    return f"{100 * scores[f'{name}_low']:.1f}–{scores[f'{name}_high']:.1%}"
