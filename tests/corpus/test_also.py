"""Corrected transcripts that lie outside the corpus are prepared with it, whatever the tiers are called."""

import numpy as np
import pytest
import soundfile

from u2u_hf.corpus.preparation import PreparationSettings, decide
from u2u_hf.data import audio
from u2u_hf.formats import writers
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.formats.textgrid import read_textgrid, write_textgrid
from u2u_hf.records import (
    CORRECTED_TYPE,
    MACHINE_ANNOTATOR,
    SEGMENT_TYPE,
    Annotation,
    Segment,
    Tier,
    Transcript,
    U2UError,
    Word,
)
from u2u_hf.settings import changed


def tier(name, kind, texts, annotator=""):
    rows = tuple(Annotation(2000 * i, 2000 * i + 1000, text) for i, text in enumerate(texts))
    return Tier(name, rows, kind, annotator=annotator)


def add(folder, name, *tiers, sound=None):
    sound = sound or folder / f"{name}.wav"
    soundfile.write(sound, np.random.default_rng(len(name)).normal(0, 0.1, 10 * 8000), 8000)
    write_eaf(folder / f"{name}.eaf", tiers, [sound])


@pytest.fixture
def corpus(tmp_path):
    for name in ("corpus", "corrected", "new"):
        (tmp_path / name).mkdir()
    for name in "abc":
        add(tmp_path / "corpus", name, tier("ANA SURFACE", "utterance", [f"kana {name}", f"tali {name}"]))
    corrected = tier("transcript corrected", CORRECTED_TYPE, ["nena"], MACHINE_ANNOTATOR)  # one annotation, one word
    draft = tier("transcript", SEGMENT_TYPE, ["nana", "ri", "so"], MACHINE_ANNOTATOR)
    add(tmp_path / "corrected", "d", draft, corrected, sound=tmp_path / "new" / "d.wav")
    return tmp_path


def texts(corpus, **settings):
    also = [str(corpus / "corrected"), str(corpus / "new" / "d.wav")]
    found = decide(PreparationSettings(corpus=str(corpus / "corpus"), also=also, **settings), audio)
    return sorted(u.raw_text for row in found.splits.values() for u in row), found


@pytest.mark.parametrize("settings", [{}, {"tiers": ["*SURFACE"]}, {"linguistic_types": ["utterance"]}])
def test_a_corrected_draft_is_used_and_an_uncorrected_one_is_not(corpus, settings):
    found, preparation = texts(corpus, **settings)
    assert found == sorted([*(f"{word} {name}" for name in "abc" for word in ("kana", "tali")), "nena"])
    assert preparation.why["transcript corrected"] == "is a draft that a person corrected"
    assert {r.name for r in preparation.recordings} == {"a", "b", "c", "d"}


def test_where_it_lies_is_not_told(corpus):
    _, preparation = texts(corpus)
    also = [str(corpus / "corrected"), str(corpus / "new" / "d.wav")]
    told = changed(PreparationSettings(corpus=str(corpus / "corpus"), also=also))
    assert told["also"] == ["corrected", "d.wav"]
    assert str(corpus) not in str(preparation.remarks)


def test_what_is_missing_is_told(corpus):
    with pytest.raises(U2UError, match="gone: there is no such file or folder: --also names more of the corpus"):
        decide(PreparationSettings(corpus=str(corpus / "corpus"), also=[str(corpus / "gone")]), audio)


def draft(folder, name, speaker=""):
    """Write the sound and the TextGrid that transcribe.py makes of it, and return its path."""
    sound = folder / f"{name}.wav"
    soundfile.write(sound, np.random.default_rng(len(name)).normal(0, 0.1, 10 * 8000), 8000)
    segments = tuple(
        Segment(0, 2000 * i, 2000 * i + 1000, text, 0.5, (Word(text, 2000 * i, 2000 * i + 900, 0.5),), tier=speaker)
        for i, text in enumerate(["nana ta", "ri so", "kama"])
    )
    path = folder / f"{name}.TextGrid"
    writers.write(Transcript(str(sound), 10_000, 1, segments), {"textgrid": path})
    return path


@pytest.mark.parametrize("speaker", ["", "ANA"])
def test_a_draft_in_a_textgrid_is_used_once_the_tiers_beside_it_are_removed(corpus, speaker):
    new = corpus / "new"
    paths = [draft(new, name, speaker) for name in ("e", "ff")]
    with pytest.raises(U2UError, match="correct it in Praat and remove its tiers 'words' and 'unsure'") as caught:
        decide(PreparationSettings(corpus=str(new)), audio)
    assert len(str(caught.value)) < 200

    def found():
        preparation = decide(PreparationSettings(corpus=str(corpus / "corpus"), also=[str(new)]), audio)
        drafted = {r.name for r in preparation.recordings} & {"e", "ff"}
        return {name: [t.name for t in preparation.tiers[name]] for name in drafted}

    name = "ANA transcript" if speaker else "transcript"
    assert found() == {"e": [], "ff": []}
    kept = [tier for tier in read_textgrid(paths[0]).tiers if tier.name == name]
    write_textgrid(paths[0], kept, 10_000)
    assert found() == {"e": [name], "ff": []}
