"""The reports that are printed."""

import re
from pathlib import Path

import pytest
from support.html_pages import harmless
from support.preparations import attacked, prepared, utterance, write_odd_corpus

from u2u_hf.corpus.channels import ChannelChoice
from u2u_hf.corpus.preparation import PreparationSettings, decide, inspect
from u2u_hf.data import audio
from u2u_hf.output_folder import MARKER
from u2u_hf.records import Dropped, U2UError
from u2u_hf.reports.digest import digest
from u2u_hf.reports.html_report import html_report
from u2u_hf.reports.terminal import after_inspection, after_preparation, inspection, summary
from u2u_hf.written_files import WRITTEN


@pytest.fixture(scope="module")
def odd_corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd") / "corpus"
    write_odd_corpus(folder)
    return folder


def printed(settings, corpus, output):
    """Return what is printed for a corpus, and write its report.html."""
    found = digest(inspect(settings, audio), corpus)
    (output / "report.html").write_text(html_report(found), encoding="utf-8")
    return inspection(found)


@pytest.mark.parametrize("report", [inspection, summary])
def test_annotations_cannot_command_the_terminal(report, tmp_path):
    printed = report(digest(attacked(), tmp_path))
    assert not set(printed) & {"\x1b", "\0", "\u202e", "\u2066"}
    assert "‹U+001B›[31mred" in printed


def test_inspection_tells_what_a_linguist_asks(odd_corpus, tmp_path):
    settings = PreparationSettings(corpus=str(odd_corpus), allow_repeated_sentences=True)
    words = printed(settings, odd_corpus, tmp_path)
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
    words = printed(one, few, tmp_path)
    assert "! nothing yet: 1 recording with usable utterances" in words
    assert "undivided: 10 utterances" in words
    wrong = PreparationSettings(corpus=str(few), tiers=["*SURFACE*"])
    with pytest.raises(U2UError, match="no tier of any file matches"):
        decide(wrong, audio)
    words = printed(wrong, few, tmp_path)
    assert "! nothing yet: --tiers *SURFACE*" in words
    assert "- ANA transcription: not chosen" in words
    assert "No dataset can be made" in "".join(harmless((tmp_path / "report.html").read_text(encoding="utf-8")).text)


def test_the_recipe_inspects_and_writes_no_dataset(odd_corpus, recipe, tmp_path):
    result = recipe("prepare.py", "--corpus", odd_corpus, "--output_dir", tmp_path / "out", "--inspect")
    assert result.returncode == 0, result.stderr
    assert "CYRILLIC among LATIN" in result.stdout
    assert sorted(p.name for p in (tmp_path / "out").rglob("*")) == [MARKER, WRITTEN, "report.html"]


def test_a_preparation_is_summed_up():
    made = prepared(
        {"train": [utterance("ab", seconds=90)], "validation": [utterance("c", seconds=6)], "test": []},
        dropped=[
            Dropped(utterance("x", 3000), "the audio cannot be read", "holds no sound"),
            Dropped(utterance("y", 2000), "the audio cannot be read", "holds no sound"),
            Dropped(utterance("z", 4000), "shorter than 0.3 s"),
        ],
        why={"tx": "matches --tiers"},
        choices=[ChannelChoice("story", "tx", 1, "heard", 1.04)],
    )
    assert summary(digest(made, Path("nowhere"))).splitlines() == [
        "tiers:",
        "  tx: matches --tiers",
        "  ! story, tier tx: channel 2 is louder by only 1.0 dB: one microphone for everybody, or the speaker is on "
        "both channels",
        "train: 1 utterances, 1.5 min, 1 recordings, 1 speakers",
        "validation: 1 utterances, 0.1 min, 1 recordings, 1 speakers",
        "test: 0 utterances, 0.0 min, 0 recordings, 0 speakers",
        "! characters that are not in training: c",
        "dropped: 2 × the audio cannot be read, first in story, tier tx, at 00:00:02.000",
        "        2 in story.wav: holds no sound",
        "dropped: 1 × shorter than 0.3 s, first in story, tier tx, at 00:00:04.000",
    ]


@pytest.mark.parametrize(("seconds", "verdict"), [(1800, "needs more: at least an hour"), (3600, "is a beginning;")])
def test_the_verdict_and_the_next_command(seconds, verdict):
    splits = {"train": [utterance("a", seconds=seconds)], "validation": [utterance("b", speaker="EVA")], "test": []}
    told = after_preparation(digest(prepared(splits), Path("nowhere")), Path("my data"))
    assert f"Prepared {'1.0 h' if seconds == 3600 else '30.0 min'} of speech: 2 utterances of 2 speakers" in told
    assert verdict in told
    assert 'accelerate launch --quiet recipes/train.py --dataset "my data" --output_dir "my data_model"' in told


def test_after_an_inspection():
    found = digest(prepared({"train": []}), Path("nowhere"))
    assert "without --inspect" in after_inspection(found)
    found = digest(prepared({"undivided": []}, problem=U2UError("no")), Path("nowhere"))
    assert "Fix the problem above" in after_inspection(found)
