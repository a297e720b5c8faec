"""report.html: what a corpus holds and what a preparation makes of it, as one self-contained page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from u2u_hf.records import Utterance
from u2u_hf.reports.characters import PLAIN_MARKS, Character, Inventory, excerpt, shown
from u2u_hf.reports.digest import Digest, DropGroup, hours, hours_by
from u2u_hf.reports.html import MOST_ROWS, Markup, document, element, folded, joined, listed, numbers, table, titled
from u2u_hf.reports.pace import characters_per_second
from u2u_hf.reports.quantities import length
from u2u_hf.reports.stylesheet import STYLE
from u2u_hf.reports.svg import bar, histogram, scatter
from u2u_hf.visible_text import code_point


def html_report(digest: Digest) -> str:
    """Return the text of ``report.html``."""
    sections = [
        ("Files", _files(digest)),
        ("Tiers", _tiers(digest)),
        ("Durations and pace", _speech(digest)),
        ("Hours", _hours(digest)),
        ("Characters", _characters(digest)),
        ("Text rules", _rules(digest)),
        ("Dropped", _dropped(digest)),
    ]
    return document(f"What is in {digest.name}", STYLE, (_problem(digest.problem), _numbers(digest)), sections)


def _problem(problem: str) -> Markup | None:
    if not problem:
        return None
    return element("p", element("b", "No dataset can be made of this yet. "), problem, class_="problem")


def _numbers(digest: Digest) -> Markup:
    kept, training = digest.kept, digest.splits.get("train")
    return numbers(
        [
            *([(length(training.hours), "in training, to learn from")] if training else []),
            (length(hours(kept)), "with validation and test" if training else "to learn from"),
            (f"{len(kept):,}", "utterances"),
            (f"{len(digest.dropped):,}", "dropped"),
            (len({u.speaker for u in kept}), "speakers"),
            (len({u.recording for u in kept}), "recordings"),
            (len(digest.characters.characters), "different characters"),
        ]
    )


def _files(digest: Digest) -> Markup:
    found = (
        f"{digest.annotation_files} annotation files and {digest.audio_files} recordings were found; "
        f"{len(digest.sources)} pairs can be used."
    )
    skipped = table(("file", "why it is not used"), [(s.where, s.reason) for s in digest.skipped])
    alone = table(("recording that no annotation file belongs to",), [(path,) for path in digest.without_annotation])
    pairs = table(("recording", "its audio"), [(s.recording, s.audio) for s in digest.sources.values()])
    return joined(element("p", found), skipped, alone, folded("All pairs", pairs))


def _tiers(digest: Digest) -> Markup:
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
        for tier in digest.tiers
    ]
    heads = ("tier", "chosen", "linguistic type", "participant", "#files", "#annotations", "#length", "samples")
    return table(heads, rows)


def _chosen(chosen: int, files: int, why: str) -> Markup:
    verdict = ("yes" if chosen == files else f"in {chosen} of {files} files") if chosen else "no"
    return element("div", element("span", verdict, class_="yes" if chosen else None), f": {why}" if why else "")


def _speech(digest: Digest) -> Markup:
    paces = {o.utterance: index for index, o in enumerate(digest.outliers)}

    def points(utterances: Iterable[Utterance]) -> list[tuple[float, float]]:
        return [(u.duration, pace) for u in utterances if u not in paces and (pace := characters_per_second(u))]

    dropped = [drop.utterance for drop in digest.dropped]
    far = [
        ((o.utterance.duration, o.characters_per_second), f"#far-{index}", _where(digest, o.utterance))
        for index, o in enumerate(digest.outliers[:MOST_ROWS])
    ]
    key = element("p", *(element("span", word, class_=f"key {kind}") for kind, word in _KEY))
    durations = histogram([u.duration for u in digest.kept], [u.duration for u in dropped], "seconds", "utterances")
    pace = scatter(points(digest.kept), points(dropped), far, "seconds", "characters a second")
    rows = [
        (
            o.utterance.recording,
            o.utterance.tier,
            element("span", digest.time(o.utterance), class_="time", id=f"far-{index}"),
            f"{o.utterance.duration:.2f}",
            f"{o.characters_per_second:.1f}",
            _quote(excerpt(o.utterance.text, "", 90)),
            o.reason or "kept",
        )
        for index, o in enumerate(digest.outliers)
    ]
    plots = element("div", element("div", durations, class_="card"), element("div", pace, class_="card"), class_="pair")
    heads = ("recording", "tier", "time in ELAN", "#seconds", "#characters a second", "text", "kept or why not")
    outliers = (
        table(heads, rows, open_rows=15) if rows else element("p", "None is far faster or slower than the others.")
    )
    about = "Utterances far faster or slower than the others: most often their times or their text are wrong."
    return joined(key, plots, element("h3", "Outliers"), element("p", about, class_="soft"), outliers)


_KEY = (("kept", "kept"), ("out", "dropped"), ("far", "outlier"))


def _hours(digest: Digest) -> Markup:
    splits = [
        (name, len(split.utterances), length(split.hours), len(split.recordings), len(split.speakers))
        for name, split in digest.splits.items()
    ]
    close = [(c.recording, c.tier, c.channel + 1, f"{c.margin_db:.1f}") for c in digest.channels if c.close]
    return joined(
        table(("split", "#utterances", "#length", "#recordings", "#speakers"), splits),
        listed("Please note", digest.remarks),
        element("h3", "By speaker"),
        _bars("speaker", hours_by(digest.kept, lambda u: u.speaker)),
        element("h3", "By recording"),
        _bars("recording", hours_by(digest.kept, lambda u: u.recording)),
        element("h3", "Speakers whose channel is not certain") if close else None,
        table(("recording", "tier", "#channel taken", "#louder by dB"), close),
    )


def _bars(what: str, lengths: dict[str, float]) -> Markup:
    most = max(lengths.values(), default=1)
    return table((what, "|", "#length"), [(name, bar(h / most), length(h)) for name, h in lengths.items()])


def _characters(digest: Digest) -> Markup:
    found = digest.characters
    unseen = digest.unseen
    ways = [
        joined(*(f"{'' if i == 0 else ', '}{_spelled(w.text)} ({w.count:,} ×)" for i, w in enumerate(group)))
        for group in digest.written.mixed_forms
    ]
    alike = [
        ", ".join(f"{shown(c.character)} {c.code_point} ({c.count:,} ×)" for c in group) for group in found.look_alikes
    ]
    sequences = [
        (_glyph(s.text), " ".join(map(code_point, s.text)), s.count, _quote(excerpt(s.example.text, s.text)))
        for s in found.sequences
    ]
    about = f"{found.total:,} characters in all annotations of the chosen tiers, after the text rules."
    missing = f"Not in training: {' '.join(map(shown, unseen))}" if unseen else None
    return joined(
        element("p", about, class_="soft"),
        element("p", missing, class_="problem") if missing else None,
        listed("Easily confused", alike),
        listed("The same letter in several spellings, as the annotations have it", ways),
        _inventory(digest, found, lambda u: u.text),
        titled("Letters with combining marks", table(("letter", "code points", "#count", "example"), sequences)),
        titled(
            "Removed or replaced by text rules, somewhere or everywhere",
            _inventory(digest, digest.written, lambda u: u.raw_text, digest.removed),
        ),
    )


def _inventory(
    digest: Digest, found: Inventory, text_of: Callable[[Utterance], str], characters: Sequence[Character] | None = None
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
                element("span", _where(digest, c.example), class_="where") if c.marks else None,
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


def _rules(digest: Digest) -> Markup:
    rows = []
    for rule, count in digest.rules.items():
        before, after = digest.rule_examples.get(rule, ("", ""))
        rows.append((rule, count, _quote(excerpt(before, "", 90)), _quote(excerpt(after, "", 90))))
    return table(("rule", "#annotations changed", "the first, before", "and after"), rows)


def _dropped(digest: Digest) -> Markup:
    rows = [
        (
            group.count,
            joined(group.reason, _details(group)),
            group.first.recording,
            group.first.tier,
            digest.time(group.first),
            _quote(excerpt(group.first.raw_text, "", 90)),
        )
        for group in digest.drops
    ]
    if not rows:
        return element("p", "Nothing.")
    return table(("#utterances", "why", "first in", "tier", "time in ELAN", "annotation"), rows)


def _details(group: DropGroup) -> Markup | None:
    if not group.details:
        return None
    lines = [f"{count} in {audio}: {detail}" for (audio, detail), count in group.details.items()]
    return folded("details", element("ul", *(element("li", line) for line in lines[:MOST_ROWS])))


def _where(digest: Digest, utterance: Utterance) -> str:
    return f"{utterance.recording}, {utterance.tier}, {digest.time(utterance)}"


def _quote(text: str) -> Markup:
    return element("span", text, class_="quote", dir="auto")
