"""Held-out recordings stay held out, and new ones are trained on."""

import dataclasses
import shutil

import numpy as np
import pytest
import soundfile

from u2u_hf.corpus.preparation import PreparationSettings
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.growth.held_out import save_sides, sides_of
from u2u_hf.growth.preparing import preparation_of
from u2u_hf.project.folder import Project
from u2u_hf.records import Annotation, Tier, U2UError


def add(corpus, name, seed):
    soundfile.write(corpus / f"{name}.wav", np.random.default_rng(seed).normal(0, 0.1, 8 * 8000), 8000)
    rows = tuple(
        Annotation(i * 2000, i * 2000 + 1000, f"kana {'ptk'[i]}a{'aeiou'[seed % 5]} ri{name}") for i in range(3)
    )
    write_eaf(corpus / f"{name}.eaf", [Tier("ANA transcription", rows, "utterance", "ANA")], [corpus / f"{name}.wav"])


@pytest.fixture
def project(tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for seed, name in enumerate("abcdef"):
        add(corpus, name, seed)
    made = Project(tmp_path / "project")
    made.set_paths(corpus)
    return made


def a_round(project, number, sounds):
    """The table of the round, and the marks of its recordings."""
    table = project.folder / f"{number - 1}.csv"
    preparation, settings = preparation_of(project, [], table if table.exists() else None)
    sides, marks, lines = sides_of(preparation, settings, table if table.exists() else None, sounds)
    save_sides(project.folder / f"{number}.csv", sides, settings.split_by)
    return sides, marks, lines


def test_the_table_only_grows(project):
    first, sounds, _ = a_round(project, 1, {})
    held_out = {name for name, side in first.items() if side != "train"}
    assert {first[name] for name in held_out} == {"validation", "test"}
    for seed, name in enumerate("ghijklmnop", 10):
        add(project.corpus, name, seed)
    second, sounds, _ = a_round(project, 2, sounds)
    assert {name: second[name] for name in first} == first
    assert {second[name] for name in "ghijklmnop"} == {"train"}

    # One is removed, and comes back in a later round.
    gone = min(name for name, side in first.items() if side == "train")
    kept = project.folder / "kept"
    kept.mkdir()
    for path in project.corpus.glob(f"{gone}.*"):
        shutil.move(path, kept)
    third, sounds, _ = a_round(project, 3, sounds)
    assert third[gone] == "train"
    assert third == second


def test_nobody_is_told_that_held_out_splits_have_another_size_than_none(project):
    a_round(project, 1, {})
    preparation, _ = preparation_of(project, [], project.folder / "1.csv")
    assert preparation.splits["test"]
    assert preparation.remarks == []


def test_a_held_out_recording_is_known_under_another_name(project):
    first, sounds, _ = a_round(project, 1, {})
    add(project.corpus, "z", 30)  # another one, which is trained on
    test = next(name for name, side in first.items() if side == "test")
    for path in list(project.corpus.glob(f"{test}.*")):
        text = path.read_text(encoding="utf-8").replace(f"{test}.wav", "renamed.wav") if path.suffix == ".eaf" else ""
        path.rename(path.with_name(f"renamed{path.suffix}"))
        if text:
            path.with_name("renamed.eaf").write_text(text, encoding="utf-8")
    second, _, lines = a_round(project, 2, sounds)
    assert second["renamed"] == "test"
    assert second["z"] == "train"
    assert lines == [f"renamed is {test} under another name, and stays in test"]


@pytest.mark.parametrize("kept", [("train", "validation"), ("train", "test"), ("validation", "test")])
def test_without_a_recording_of_each_split_there_is_nothing_to_compare(project, kept):
    """What is missing is told, also if fewer than three recordings are left: no other settings help."""
    first, sounds, _ = a_round(project, 1, {})
    [gone] = {"train", "validation", "test"} - set(kept)
    names = sorted(name for name, side in first.items() if side == gone)
    for name in names:
        for path in project.corpus.glob(f"{name}.*"):
            path.unlink()
    with pytest.raises(
        U2UError, match=rf"of the {gone} split no recording is left that can be used \({', '.join(names[:3])}"
    ):
        a_round(project, 2, sounds)


def test_settings_are_those_of_prepare_yaml(project):
    project.set_settings("prepare", {"tiers": "*transcription", "max_seconds": "20", "split_by": "utterance"})
    with pytest.raises(U2UError, match="split_by utterance: a project that grows holds out whole recordings"):
        preparation_of(project, [], project.folder / "1.csv")
    project.set_settings("prepare", {"tiers": "*transcription", "max_seconds": "20"})
    _, settings = preparation_of(project, [], None)
    assert (settings.tiers, settings.max_seconds) == (["*transcription"], 20.0)
    assert {f.name for f in dataclasses.fields(PreparationSettings)} >= {"also"}
    project.set_settings("prepare", {"teirs": ["*"]})
    with pytest.raises(U2UError, match=r"prepare\.yaml: unknown setting teirs: did you mean tiers\?"):
        preparation_of(project, [], None)
