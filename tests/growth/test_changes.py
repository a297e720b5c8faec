"""What a round tells of the corpus, before anything is trained."""

import numpy as np
import pytest
import soundfile

from u2u_hf.formats.eaf import write_eaf
from u2u_hf.growth.grow import growth_of
from u2u_hf.growth.held_out import save_sides
from u2u_hf.growth.preparing import preparation_of
from u2u_hf.growth.wishes import Wishes
from u2u_hf.project.folder import Project
from u2u_hf.records import Annotation, Tier, U2UError

NAMES = "abcde"
TEXTS = ["kana tali", "nena po", "ri so ka"]


def transcribed(corpus, name, texts):
    rows = tuple(Annotation(2000 * i, 2000 * i + 1000, f"{text} {name}") for i, text in enumerate(texts))
    write_eaf(corpus / f"{name}.eaf", [Tier("ANA transcription", rows, "utterance", "ANA")], [corpus / f"{name}.wav"])


@pytest.fixture
def project(tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for seed, name in enumerate(NAMES):
        soundfile.write(corpus / f"{name}.wav", np.random.default_rng(seed).normal(0, 0.1, 8 * 8000), 8000)
        transcribed(corpus, name, TEXTS)
    made = Project(tmp_path / "project")
    made.set_paths(corpus)
    return made


def changes(project):
    """Do a round without its trainings → what it tells: lines, problems."""
    growth = growth_of(project, None, Wishes())
    found = growth._changes()
    if not growth.round.splits.is_file():  # as prepare.py deals
        preparation, settings = preparation_of(project, [], None)
        save_sides(growth.round.splits, preparation.sides, settings.split_by)
    growth.round.finish("changes", found)
    growth.round.finish("report")
    return found["lines"], found["problems"]


def test_a_damaged_transcript_is_told_and_compared_with_its_last_state_once_repaired(project):
    corpus = project.corpus
    preparation, _ = preparation_of(project, [], None)
    train = min(name for name, side in preparation.sides.items() if side == "train")
    other = next(name for name in NAMES if name != train)
    assert changes(project) == ([], [])
    (corpus / f"{train}.eaf").write_text("<ANNOTATION_DOC", encoding="utf-8")
    transcribed(corpus, other, ["kana tali", "nena pa", "ri so ka"])
    lines, [problem] = changes(project)
    assert lines == [f"{other}: 1 text corrected"]
    assert problem.startswith(f"{corpus / train}.eaf: is not XML")
    assert problem.endswith("it is not learnt from until it is repaired")
    transcribed(corpus, train, ["kana tali", "nena po", "ri so ki"])
    assert changes(project) == ([f"{train}: 1 text corrected"], [])


def test_what_cannot_be_used_is_told_although_the_round_fails_for_it(project, capsys):
    changes(project)
    for name in NAMES[1:]:
        (project.corpus / f"{name}.eaf").write_text("<ANNOTATION_DOC", encoding="utf-8")
    with pytest.raises(U2UError, match="split no recording is left that can be used"):
        changes(project)
    told = capsys.readouterr().out
    for name in NAMES[1:]:
        assert f"! {project.corpus / name}.eaf: is not XML" in told
