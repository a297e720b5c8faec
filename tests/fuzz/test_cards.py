"""Damaged cards, of models and datasets, from which other cards, scores and the page's facts are taken."""

import pytest
from datasets import Dataset
from model_info import about, facts
from strings import say_in

from u2u_hf.model_folder import CARD
from u2u_hf.publishing.cards.model import add_export, add_scores, write_model_card
from u2u_hf.publishing.space_settings import SpaceVariables

SCORES = {"utterances": 2, "wer": 0.5, "cer": 0.123, "cer_low": 0.1, "cer_high": 0.2}
SPLITS = {
    name: Dataset.from_dict({"text": ["ab ña"], "speaker": ["A"], "recording": ["r"], "duration": [1.5]})
    for name in ("train", "validation", "test")
}
DATASET = """---
language: [xty, es]
language_bcp47: [xty, es-MX]
license: cc-by-nc-sa-4.0
pretty_name: Yoloxóchitl
size_categories: n<1K
tags: [u2u-hf, "1.5", yes]
---

# Yoloxóchitl

A corpus.
"""
SAY = say_in("en")
WORDS = (
    *(b"---\n", b"---", b"license:", b"language:", b"base_model:", b"model-index:", b"- name:", b"results:"),
    b"{{ x }}",
    *(b"metrics:", b"type: cer", b"value: .nan", b"value: .inf", b"!!python/object:os.system {}", b"&a [*a]", b"*a"),
    b"? ",
    *(b"<<: *a", b"2026-11-25", b"!!binary aGk=", b"|\n", b">-\n", b": :", b"- - -", b"<!-- scores -->"),
    b"<!-- onnx -->",
    *(b"<!-- scores -->", b"<!-- end of scores -->", b"{{ x }}", b"| validation | data | 2 |"),
    *(b"{% include 'secret.wav' %}", b"license: [a]"),
)


def write_card(folder, base, dataset):
    folder.mkdir(exist_ok=True)
    write_model_card(
        folder,
        base_model=str(base),
        dataset=str(dataset),
        splits=SPLITS,
        scores=SCORES,
        settings={},
        steps=1,
        seconds=1.0,
    )


@pytest.fixture
def model_card(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / CARD).write_text(DATASET, encoding="utf-8")
    write_card(tmp_path / "model", tmp_path / "data", tmp_path / "data")
    add_scores(tmp_path / "model", str(tmp_path / "data"), "test", SCORES)
    return (tmp_path / "model" / CARD).read_bytes()


def use(folder, name):
    kind = folder / name.split("/")[0]
    about(facts(kind, SpaceVariables(model=str(kind))), SAY).encode()
    made = folder / "made"
    write_card(made, kind, kind)  # what is no folder's card may still be its base model's, or its dataset's
    about(facts(made, SpaceVariables(model=str(made))), SAY).encode()
    add_scores(kind, "data", "test", SCORES)
    add_export(kind, "| a |")
    assert facts(kind, SpaceVariables(model=str(kind))).score[0] == pytest.approx(0.123, abs=5e-4)


def test_a_damaged_card_is_used_or_named(fuzz, model_card):
    fuzz(use, {f"model/{CARD}": model_card, f"data/{CARD}": DATASET.encode()}, words=WORDS, examples=150)
