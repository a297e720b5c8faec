"""Annotations of noise, read by very small recognisers that are trained in this process."""

import shutil

import numpy as np
import pytest
import soundfile
import yaml

from u2u_hf.corpus.preparation import PreparationSettings
from u2u_hf.cross_validation import run
from u2u_hf.data import audio
from u2u_hf.doctor import annotations, reading
from u2u_hf.doctor.candidates import candidates
from u2u_hf.doctor.settings import Recognisers
from u2u_hf.doctor.speech import Speech
from u2u_hf.formats.eaf import write_eaf
from u2u_hf.records import Annotation, Tier, U2UError

SETTINGS = {"max_steps": 1, "eval_strategy": "no", "save_strategy": "no", "load_best_model_at_end": False}
SETTINGS |= {"bf16": False, "use_cpu": True, "disable_tqdm": True, "hold_encoder": 0.0}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Three recordings of four annotations."""
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    for name in ("r1", "r2", "r3"):
        soundfile.write(folder / f"{name}.wav", rng.normal(0, 0.1, 10 * 16_000), 16_000)
        rows = tuple(Annotation(2000 * n, 2000 * n + 900, "ab ba aab bba".split()[n]) for n in range(4))
        write_eaf(folder / f"{name}.eaf", [Tier("transcription", rows, participant="Ana")], [folder / f"{name}.wav"])
    return annotations.read(PreparationSettings(corpus=str(folder)), audio)


@pytest.fixture
def read(corpus, random_base, random_model, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(random_model, model)
    (model / "train.yaml").write_text(yaml.safe_dump(SETTINGS), encoding="utf-8")
    texts = candidates(corpus.utterances, {u.audio: Speech(()) for u in corpus.utterances})

    def read(**asked):
        base = {"base_model": str(random_base)} if asked.get("leave_out") != "nothing" else {}
        return reading.read_unseen(texts, str(model), Recognisers(**base, **asked), tmp_path / "out")

    return read


@pytest.fixture
def watched(monkeypatch):
    """What each training learnt from, by its fold; and what each recogniser read."""
    learnt, heard = {}, []
    train, measure = run.train, reading.measure

    def training(base, splits, source, args, **settings):
        learnt[args.output_dir.rpartition("/")[2]] = {name for part in splits.values() for name in part["recording"]}
        return train(base, splits, source, args, **settings)

    def measuring(recognizer, one):
        heard.append((str(recognizer._source).rpartition("/")[2], one.utterance.recording, one.utterance.start_ms))
        return measure(recognizer, one)

    monkeypatch.setattr(run, "train", training)
    monkeypatch.setattr(reading, "measure", measuring)
    return learnt, heard


def test_every_annotation_is_read_by_a_recogniser_that_never_saw_it(read, watched, corpus):
    learnt, heard = watched
    found = read(folds=3)
    assert [one.key for one in found] == [annotations.key_of(u) for u in corpus.utterances]
    assert len(learnt) == 3
    assert len(heard) == 12
    for fold, recording, _ in heard:
        assert recording not in learnt[fold]
    assert all(one.cost > 0 and len(one.decoys) == 1 and len(one.levels_db) == 1 for one in found)


def test_a_run_that_was_killed_reads_the_rest(read, watched, monkeypatch):
    learnt, heard = watched
    measuring = reading.measure

    def killed(recognizer, one):
        if len(heard) == 6:  # within the second recording
            raise KeyboardInterrupt
        return measuring(recognizer, one)

    monkeypatch.setattr(reading, "measure", killed)
    with pytest.raises(KeyboardInterrupt):
        read(folds=3)
    assert len(learnt) == 2
    monkeypatch.setattr(reading, "measure", measuring)
    first = {recording for _, recording, _ in heard[:4]}
    heard.clear()
    learnt.clear()
    found = read(folds=3)
    assert len(found) == 12
    assert len(heard) == 8
    assert not first & {recording for _, recording, _ in heard}
    assert len(learnt) == 1  # the second one was trained
    heard.clear()
    assert read(folds=3) == found
    assert not heard


def test_a_model_that_never_saw_the_corpus_reads_all(read, watched):
    learnt, heard = watched
    assert len(read(leave_out="nothing")) == 12
    assert not learnt
    assert {fold for fold, *_ in heard} == {"model"}


def test_a_recording_that_cannot_be_read_is_told(read, corpus, monkeypatch):
    def broken(path):
        if path.endswith("r2.wav"):
            raise U2UError(f"{path}: is damaged")
        return audio.audio_info(path)

    monkeypatch.setattr("u2u_hf.doctor.measures.audio_info", broken)
    found = read(leave_out="nothing")
    assert [one.recording for one in found if one.problem] == ["r2"] * 4
    assert all(one.problem.endswith("r2.wav: is damaged") for one in found if one.problem)


def test_settings_that_contradict_each_other():
    with pytest.raises(U2UError, match="--time_budget: with --leave_out nothing nothing is trained"):
        Recognisers(leave_out="nothing", time_budget="1h")
    with pytest.raises(U2UError, match="--leave_out tier: give speaker or recording"):
        Recognisers(leave_out="tier")
