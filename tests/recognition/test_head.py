"""A recogniser as the base of another one: what its head keeps."""

import json
import shutil

import pytest
import torch
from support.families import CONFIGS, extractor_of
from transformers import AutoModelForCTC

from u2u_hf.data.dataset import load_splits
from u2u_hf.recognition.families.registry import family_of
from u2u_hf.recognition.model import load_trained, start_from
from u2u_hf.records import U2UError
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.trainer_setup import build_trainer


def test_the_rows_of_characters_that_both_know_are_kept(random_model):
    # Theirs: blank 0, unknown 1, | 2, a 3, b 4, ¹ 5, ñ 6; ours: a 3, b 4, z 5, ñ 6.
    said = []
    model, processor = start_from(str(random_model), ["bañ z"], say=said.append)
    theirs = load_trained(str(random_model))[0].lm_head
    vocabulary = processor.tokenizer.get_vocab()
    assert [vocabulary[symbol] for symbol in "abzñ"] == [3, 4, 5, 6]
    assert model.lm_head.out_features == model.config.vocab_size == 7
    for label in (0, 1, 2, 3, 4, 6):
        assert torch.equal(model.lm_head.weight[label], theirs.weight[label])
        assert torch.equal(model.lm_head.bias[label], theirs.bias[label])
    assert not torch.equal(model.lm_head.weight[5], theirs.weight[5])
    assert model.lm_head.bias[5] == 0
    assert said == [f"the head keeps 3 of 4 characters, which {random_model} knows; new: z (--fresh_head: none)"]


def test_a_fresh_head_keeps_nothing(random_model):
    said = []
    model, _ = start_from(str(random_model), ["ab ñ¹"], fresh_head=True, say=said.append)
    theirs = load_trained(str(random_model))[0].lm_head
    assert not any(torch.equal(row, other) for row in model.lm_head.weight for other in theirs.weight)
    assert not said


def _base(name, folder, vocabulary, settings=None, tokenizer=None):
    """A recogniser of seven labels that somebody else has trained, with files as they are published."""
    config = CONFIGS[name]()
    config.vocab_size, config.pad_token_id = 7, 1
    torch.manual_seed(0)
    made = AutoModelForCTC.from_config(config)
    made.save_pretrained(folder)
    extractor_of(config).save_pretrained(folder)
    files = {"vocab.json": vocabulary, "tokenizer_config.json": settings, "tokenizer.json": tokenizer}
    for file, content in files.items():
        if content is not None:
            (folder / file).write_text(json.dumps(content), encoding="utf-8")
    return getattr(made, family_of(made).head).weight


# Each with its blank where the config says: 1, or of Omnilingual ASR 0. Ours: blank 0, unknown 1, | 2, a 3, b 4.
_ENGLISH = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "|": 4, "b": 5, "a": 6}
_FRENCH = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "|": 4, "a": 5, "b": 6}
_FILES = {
    "special tokens with properties": (
        "wav2vec2",
        {"vocabulary": _ENGLISH, "settings": {"unk_token": {"content": "<unk>"}, "word_delimiter_token": "|"}},
        [1, 3, 4, 6, 5],
    ),
    "capitals alone": (
        "wav2vec2",
        {"vocabulary": {"<pad>": 1, "<unk>": 3, "|": 4, "B": 5, "A": 6}, "settings": {"unk_token": "<unk>"}},
        [1, 3, 4, 6, 5],
    ),
    "both cases": (
        "wav2vec2",
        {"vocabulary": {"<pad>": 1, "|": 4, "A": 2, "a": 3, "B": 5, "b": 6}},
        [1, None, 4, 3, 6],
    ),
    "MMS, adapters of the language that it names": (
        "mms with adapters",
        {"vocabulary": {"eng": _ENGLISH, "fra": _FRENCH}, "settings": {"target_lang": "fra", "unk_token": "<unk>"}},
        [1, 3, 4, 5, 6],
    ),
    "MMS, which names none": ("mms with adapters", {"vocabulary": {"eng": _ENGLISH}}, [1, None, 4, 6, 5]),
    "tokenizer.json": (
        "omniasr",
        {
            "vocabulary": None,
            "settings": {"unk_token": "<unk>"},
            "tokenizer": {
                "model": {"vocab": [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["a", -1.0], [" ", -1.0]]},
                "added_tokens": [{"content": "<unk>", "id": 5}],
            },
        },
        [0, 5, 4, 3, None],
    ),
}


@pytest.mark.parametrize("case", _FILES)
def test_vocabularies_of_others_are_read(tmp_path, case):
    name, files, rows = _FILES[case]
    theirs = _base(name, tmp_path, **files)
    model, _ = start_from(str(tmp_path), ["a b"])
    head = getattr(model, family_of(model).head)
    for ours, row in zip(head.weight, rows, strict=True):
        same = [index for index, other in enumerate(theirs) if torch.equal(ours, other)]
        assert same == ([] if row is None else [row])


def test_without_a_vocabulary_the_head_is_new(tmp_path):
    theirs = _base("xls-r", tmp_path, None)
    model, processor = start_from(str(tmp_path), ["ab cd"])
    assert model.lm_head.out_features == len(processor.tokenizer) == 7
    assert not any(torch.equal(row, other) for row in model.lm_head.weight for other in theirs)


@pytest.mark.parametrize(
    ("vocabulary", "said"),
    [
        ({"a": 3, "b": 7}, "it has 7 outputs but a vocabulary of 2: with --fresh_head"),
        ({"a": "b"}, "its vocabulary is damaged: with --fresh_head"),
        ({"fra": {"a": 3}}, "its vocabulary is damaged: with --fresh_head"),
        (["a", "b"], "its vocabulary is damaged: with --fresh_head"),
    ],
)
def test_a_vocabulary_that_does_not_fit_is_named(tmp_path, vocabulary, said):
    _base("wav2vec2", tmp_path, vocabulary)
    with pytest.raises(U2UError) as caught:
        start_from(str(tmp_path), ["ab"])
    assert str(caught.value).startswith(f"{tmp_path}: {said}")
    start_from(str(tmp_path), ["ab"], fresh_head=True)


def test_an_earlier_model_of_the_language_is_as_good_at_once(trained_model, demo_dataset, tmp_path):
    shutil.copytree(trained_model, tmp_path / "earlier")
    splits = load_splits(demo_dataset)
    cer = {}
    for fresh in (False, True):
        args = CtcTrainingArguments(
            output_dir=str(tmp_path / f"run {fresh}"),
            fresh_head=fresh,
            max_steps=6,
            eval_steps=2,
            save_steps=2,
            head_learning_rate=1e-4,
            disable_tqdm=True,
        )
        trainer, _ = build_trainer(str(tmp_path / "earlier"), splits, "demo", args)
        cer["before", fresh] = trainer.evaluate()["eval_cer"]
        trainer.train()
        cer["after", fresh] = trainer.scores()["cer"]
    assert cer["after", False] <= cer["before", False] + 0.01
    assert cer["before", False] < cer["after", True] / 2
