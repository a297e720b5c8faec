import datasets
import numpy as np
import pytest
from support.trainers import SPLITS, rows
from transformers import EvalPrediction

from u2u_hf.records import U2UError
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.trainer_setup import build_trainer, infeasible

pytest_plugins = ["support.trainers"]


def test_characters_that_training_never_shows_count_as_errors(make, capsys):
    trainer = make(SPLITS | {"validation": (["aé"], [1.0])})
    assert (
        "validation has characters that are not in training, each counts as an error: é (1×)" in capsys.readouterr().out
    )
    labels = np.array([trainer.processing_class.tokenizer("aé").input_ids])
    heard = np.array([[labels[0][0]] * 3])
    scores = trainer.compute_metrics(EvalPrediction(heard, labels))
    assert scores["cer"] == 0.5


def test_utterances_that_ctc_cannot_spell_are_found():
    # 0.1 s are 4 frames: "abcd" needs 4, "abcc" needs 5.
    dropped = infeasible(rows(["abcd", "abcc", "a"], [0.1, 0.1, 0.01]))
    assert list(dropped) == [1, 2]
    reason = "more characters than the recogniser has frames for (one in 20 ms)"
    assert [(str(drop), drop.utterance.text) for drop in dropped.values()] == [(reason, "abcc"), (reason, "a")]


def test_an_empty_split_is_named(random_base, tmp_path):
    splits = datasets.DatasetDict(train=rows(["a"], [1.0]))
    with pytest.raises(U2UError, match="made: has no utterance in split validation"):
        build_trainer(str(random_base), splits, "made", CtcTrainingArguments(output_dir=str(tmp_path), use_cpu=True))
