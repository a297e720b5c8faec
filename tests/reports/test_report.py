"""What is told of a corpus before and after it is prepared: numbers by hand, and a page that nothing can break."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support.html_pages import ATTACKS, Page, harmless

from u2u_hf.corpus.preparation import Preparation, PreparationSettings, decide, inspect
from u2u_hf.corpus.reader import Recording, Skipped
from u2u_hf.data import audio
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.output_folder import MARKER, WRITTEN
from u2u_hf.records import Annotation, AnnotationDocument, Tier, U2UError, Utterance
from u2u_hf.reports import report, terminal
from u2u_hf.reports.html import element, table
from u2u_hf.reports.html_report import page
from u2u_hf.reports.survey import (
    characters_per_second,
    clock,
    hours_by,
    length,
    pace_outliers,
    reasons,
    summarise_tiers,
    survey,
)
from u2u_hf.reports.svg import binned, histogram, nice, scatter


def said(text, start_ms=0, seconds=1.0, recording="story", tier="tx", speaker="ANA", raw=None):
    end_ms = start_ms + round(seconds * 1000)
    return Utterance(recording, "story.wav", tier, speaker, 0, start_ms, end_ms, text if raw is None else raw, text)


def prepared(splits, dropped=(), recordings=(), tiers=None, why=None, skipped=(), **more):
    given = {"choices": [], "touched": Counter(), "examples": {}, "audio_problem": False} | more
    return Preparation(list(recordings), list(skipped), tiers or {}, why or {}, splits, list(dropped), **given)


def recording(name, *tiers, audio="story.wav", origin_ms=0):
    return Recording(name, AnnotationDocument(f"{name}.eaf", (), tiers), audio, origin_ms)


def test_tiers_of_one_name_are_taken_together():
    tx = Tier("tx", tuple(Annotation(i * 1000, i * 1000 + 900, f"word {i}") for i in range(9)), "utt", "ANA")
    again = Tier("tx", (Annotation(0, 900, "more"), Annotation(900, 1800, " ")), "utt", "EVA")
    note = Tier("note", (Annotation(0, 3_600_000, "long"),))
    found = summarise_tiers([recording("a", tx, note), recording("b", again)], {"a": [tx], "b": []}, {"tx": "because"})
    assert [tier.name for tier in found] == ["tx", "note"]  # the chosen first
    assert (found[0].files, found[0].chosen, found[0].why) == (2, 1, "because")
    assert (found[0].linguistic_types, found[0].participants) == (("utt",), ("ANA", "EVA"))
    assert (found[0].annotations, found[1].annotations) == (11, 1)
    assert found[0].hours == pytest.approx(11 * 0.9 / 3600)
    assert found[1].hours == 1
    assert found[0].samples == ("word 1", "word 5", "word 8")  # of ten different: from each third
    assert found[1].samples == ("long",)


def test_hours_are_added_up():
    utterances = [said("a", seconds=1800), said("b", seconds=1800, speaker="EVA"), said("c", seconds=900)]
    assert hours_by(utterances, lambda u: u.speaker) == {"ANA": 0.75, "EVA": 0.5}
    assert list(hours_by(utterances, lambda u: u.speaker)) == ["ANA", "EVA"]


def test_characters_a_second():
    assert characters_per_second(said("abcdef", seconds=0.5)) == 12
    assert characters_per_second(said("")) is None
    assert characters_per_second(said("abc", seconds=0)) is None


def test_the_fast_and_the_slow_are_outliers_and_the_farthest_comes_first():
    usual = [said("a" * n, 10_000 * n) for n in range(10, 31)]
    fast, slow = said("a" * 400, 1), said("a", 2, seconds=2)
    found = pace_outliers([*usual, fast], [(slow, "too long")])
    # Around the median of 20: |log(0.5/20)| = 3.7 is farther than |log(400/20)| = 3.0; log 2 is not far.
    assert [(o.utterance, o.characters_per_second, o.reason) for o in found] == [
        (slow, 0.5, "too long"),
        (fast, 400, ""),
    ]
    assert pace_outliers([*usual[:10], fast], []) == []  # too few to know what is usual
    assert pace_outliers([said("a" * 10, i) for i in range(30)], []) == []


def test_reasons_are_counted_with_the_first_in_the_corpus():
    late, early = said("x", 5000), said("y", 1000)
    found = reasons([(said("z"), "other"), (late, "short"), (early, "short")])
    assert list(found) == ["short", "other"]
    assert found["short"] == (2, early)


def test_times_are_those_that_elan_shows():
    assert clock(3_723_004) == "01:02:03.004"
    assert clock(-1500) == "-00:00:01.500"
    found = survey(prepared({"train": []}, recordings=[recording("story", origin_ms=2000)]), Path("nowhere"))
    assert found.time(said("a", 62_000)) == "00:01:00.000"  # the media begins two seconds before the annotations
    assert (length(0.5), length(2.25)) == ("30.0 min", "2.2 h")


@pytest.mark.parametrize(("step", "next_up"), [(1, 1), (1.1, 2), (2.5, 5), (7, 10), (0.03, 0.05), (0.2, 0.2), (30, 50)])
def test_steps_of_axes_are_round(step, next_up):
    assert nice(step) == next_up


def test_bins_hold_every_value_once():
    width, bins = binned([0.5, 1.5, 1.6, 29.9], [30.0])
    assert width == 1.0
    assert len(bins) == 31
    assert (bins[0], bins[1], bins[29], bins[30]) == ((1, 0), (2, 0), (1, 0), (0, 1))
    assert binned([], []) == (1.0, [])
    width, bins = binned([1.0] * 999, [500.0])  # one that is far longer does not flatten the others
    assert (width, sum(a + b for a, b in bins), bins[-1]) == (0.05, 1000, (0, 1))


@pytest.mark.parametrize("values", [[], [0.0], [1.0], [1.0, 1.0, 500.0], [0.001, 20_000.0]])
def test_plots_of_little_or_strange_data_are_drawings(values):
    far = [((value, value), "#x", "<far>") for value in values]
    for drawing in (
        histogram(values, values, "seconds", "utterances"),
        scatter([(v, v) for v in values], [], far, "seconds", "characters"),
    ):
        found = Page(drawing)
        assert found.tags["svg"] == 1
        for _, key, value in found.attributes:
            if key in ("x", "y", "width", "height", "cx", "cy", "r"):
                assert -1 <= float(value) <= 450
        assert "nan" not in drawing


def test_what_goes_into_an_element_is_escaped():
    assert element("a", "x < y", href='"#1"', class_="far") == '<a href="&quot;#1&quot;" class="far">x &lt; y</a>'
    assert element("td", element("b", "&"), 3, None, data_label="n") == '<td data-label="n"><b>&amp;</b>3</td>'
    assert element("p", "a\u200db\0") == "<p>a‹U+200D›b‹U+0000›</p>"


def test_long_tables_are_folded_and_cut():
    found = Page(table(("a", "#b"), [(str(i), i) for i in range(1500)], open_rows=10))
    assert found.tags["details"] == 1
    assert found.tags["tr"] == 2 + 1000
    assert "990 more of 1,490" in "".join(found.text)
    assert table(("a",), []) == ""


@pytest.fixture
def attacked():
    """A preparation in which everything that people name or write is an attack."""
    kept = [
        said(attack, 1000 * i, recording=attack, tier=attack, speaker=attack) for i, attack in enumerate(ATTACKS * 3)
    ]
    tiers = [Tier(a, (Annotation(0, 1000, a),), a, a) for a in ATTACKS]
    return prepared(
        {"train": kept[:20], "validation": kept[20:30], "test": kept[30:]},
        dropped=[(said(a * 60, 77, tier=a, raw=a), a) for a in ATTACKS],
        recordings=[recording(a, tier, audio=a) for a, tier in zip(ATTACKS, tiers, strict=True)],
        tiers={a: [tier] for a, tier in zip(ATTACKS, tiers, strict=True)},
        why=dict(zip(ATTACKS, ATTACKS, strict=True)),
        skipped=[Skipped(a, a) for a in ATTACKS],
        touched=Counter({a: 3 for a in ATTACKS}),
        examples={a: (a, a) for a in ATTACKS},
        problem=U2UError("".join(ATTACKS)),
    )


def test_annotations_cannot_put_anything_into_the_page(attacked, tmp_path):
    data = report.preparation_report(attacked)
    text = page(survey(attacked, tmp_path), data)
    found = harmless(text)
    assert set(found.tags) <= set(
        "html head meta title style body h1 h2 h3 p b nav a section div span ul li table thead tbody tr th td "
        "details summary svg line text rect circle".split()
    )
    shown = "".join(found.text)
    assert "<script>alert(1)</script>" in shown  # as text
    assert "‹U+202E›abc" in shown
    assert "\u202e" not in text
    assert "\0" not in text
    assert "\x1b" not in text
    assert "Content-Security-Policy" in text


def test_annotations_cannot_command_the_terminal(attacked, tmp_path):
    words = terminal.in_words(survey(attacked, tmp_path), report.preparation_report(attacked))
    assert not set(words) & {"\x1b", "\0", "\u202e", "\u2066"}
    assert "‹U+001B›[31mred" in words


@pytest.fixture(scope="module")
def odd_corpus(tmp_path_factory):
    """Four recordings of ten annotations; one with a Cyrillic а, a no-break space, markup and a bad time."""
    folder = tmp_path_factory.mktemp("odd") / "corpus"
    folder.mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, 40 * 8000)
    for name in "abcd":
        soundfile.write(folder / f"{name}.wav", noise, 8000)
        texts = [f"ka{'na' * (i % 3 + 2)} {name}ali tu{i}" for i in range(10)]
        if name == "c":
            texts[2:6] = ["kаna", "<b>bold</b>", "ka\u00a0na", "kana " * 18]
        rows = [Annotation(i * 3000, i * 3000 + 1000, text) for i, text in enumerate(texts)]
        tiers = [
            Tier("ANA transcription", tuple(rows), "utterance", "ANA"),
            Tier("ANA translation", (Annotation(0, 1000, "<hand> & foot"),), "translation", "ANA"),
        ]
        write_eaf(folder / f"{name}.eaf", tiers, [folder / f"{name}.wav"])
    soundfile.write(folder / "alone.wav", noise, 8000)
    (folder / "broken.eaf").write_text("<", encoding="utf-8")
    return folder


def test_inspection_tells_what_a_linguist_asks(odd_corpus, tmp_path):
    settings = PreparationSettings(corpus=str(odd_corpus), allow_repeated_sentences=True)
    words = report.write_inspection(inspect(settings, audio), odd_corpus, tmp_path)
    lines = [re.sub(" +", " ", line.strip()) for line in words.splitlines()]
    for expected in (
        "5 annotation files, 5 recordings, 4 pairs that can be used",
        "! alone.wav: no annotation file belongs to it",
        "+ ANA transcription: named like a transcription",
        "type utterance, participant ANA, 40 annotations, 0.7 min, 4 files",
        "«<hand> & foot»",
        "1 а U+0430 CYRILLIC SMALL LETTER A «kаna»",
        "! look alike: a U+0061 (",
        "1 ‹U+00A0› U+00A0 NO-BREAK SPACE «ka‹U+00A0›na»",
        "«<b>bold</b>» → «bold»",
        "1 more than 35 characters a second, first in c, tier ANA transcription, at 00:00:15.000",
        "89.0 in c, tier ANA transcription, at 00:00:15.000: «kana kana",
    ):
        assert any(line.startswith(expected) for line in lines), expected
    assert any(line.startswith("! broken.eaf: is not XML") for line in lines)
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    found = harmless((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert found.tags["svg"] > 2
    assert ("span", "id", "far-0") in found.attributes
    assert ("a", "href", "#far-0") in found.attributes


def test_what_no_dataset_can_be_made_of_can_still_be_looked_at(odd_corpus, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for name in ("a.eaf", "a.wav"):
        (few / name).write_bytes((odd_corpus / name).read_bytes())
    one = PreparationSettings(corpus=str(few))
    with pytest.raises(U2UError, match="at least three"):
        decide(one, audio)
    words = report.write_inspection(inspect(one, audio), few, tmp_path)
    assert "! nothing yet: 1 recording with usable utterances" in words
    assert "undivided: 10 utterances" in words
    wrong = PreparationSettings(corpus=str(few), tiers=["*SURFACE*"])
    with pytest.raises(U2UError, match="no tier of any file matches"):
        decide(wrong, audio)
    words = report.write_inspection(inspect(wrong, audio), few, tmp_path)
    assert "! nothing yet: --tiers *SURFACE*" in words
    assert "- ANA transcription: not chosen" in words
    assert "No dataset can be made" in "".join(harmless((tmp_path / "report.html").read_text(encoding="utf-8")).text)


def test_the_recipe_inspects_and_writes_no_dataset(odd_corpus, recipe, tmp_path):
    result = recipe("prepare.py", "--corpus", odd_corpus, "--output_dir", tmp_path / "out", "--inspect")
    assert result.returncode == 0, result.stderr
    assert "CYRILLIC among LATIN" in result.stdout
    assert sorted(p.name for p in (tmp_path / "out").rglob("*")) == [MARKER, WRITTEN, "report.html"]


def test_a_prepared_dataset_has_its_report_as_a_page(demo_folder, recipe, tmp_path):
    result = recipe("prepare.py", "--corpus", demo_folder / "corpus", "--output_dir", tmp_path)
    assert result.returncode == 0, result.stderr
    found = harmless((tmp_path / "report.html").read_text(encoding="utf-8"))
    told = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    utterances = sum(split["utterances"] for split in told["splits"].values())
    assert f"{utterances}utterances" in "".join(found.text)
    assert str(tmp_path.parent) not in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert told["rule_examples"]["case: lower"][1].islower()
