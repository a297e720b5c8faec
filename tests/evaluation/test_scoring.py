import json
import shutil
from dataclasses import replace

import datasets
import numpy as np
import pytest
from huggingface_hub import ModelCard
from support.html_pages import harmless
from support.scored_pairs import PAIRS

from u2u_hf.data.audio import flac_bytes
from u2u_hf.evaluation.html_page import evaluation_page
from u2u_hf.evaluation.metrics import METRICS, Metric, scores_with_intervals
from u2u_hf.evaluation.scoring import as_tsv, ignoring, measure
from u2u_hf.publishing.cards.model import add_scores, write_model_card
from u2u_hf.records import U2UError
from u2u_hf.reports.svg import bar


def test_measured_by_hand():
    found = measure(PAIRS)
    # Characters: 0 of 6, 1 of 6, 1 + 3 of 2, 2 of 40. Words: 0 of 2, 1 of 2, 2 of 1, 1 of 1.
    assert (found["cer"], found["wer"]) == pytest.approx((7 / 54, 4 / 6))
    assert (found["utterances"], found["seconds"]) == (4, 18)
    assert "ignoring" not in found
    assert list(found["speakers"]) == ["Eva", "Ana"]  # the worst first
    eva = found["speakers"]["Eva"]
    assert (eva["cer"], eva["wer"], eva["utterances"]) == pytest.approx((7 / 48, 4 / 4, 3))
    assert eva["hours"] == 0.004
    assert {name: row["cer"] for name, row in found["recordings"].items()} == pytest.approx(
        {"talk": 6 / 42, "story": 1 / 12}
    )
    heard = [p.hypothesis for p in PAIRS[1:]], [p.reference for p in PAIRS[1:]]
    assert eva == {**scores_with_intervals(*heard), "utterances": 3, "hours": 0.004}


def test_errors_are_counted():
    found = measure(PAIRS)
    rows = {(e["reference"], e["hypothesis"]): (e["count"], e["of"]) for e in found["characters"]}
    assert rows == {("o", ""): (2, 40), ("¹", ""): (1, 2), ("í", "i"): (1, 1), ("", " "): (1, None)} | {
        ("", "t"): (1, None),
        ("", "i"): (1, None),
    }
    assert (found["characters"][0]["reference"], found["characters"][0]["count"]) == ("o", 2)
    rows = {(e["reference"], e["hypothesis"]): (e["count"], e["of"]) for e in found["words"]}
    assert rows[("ka¹", "ka")] == (1, 2)
    assert rows[("o" * 40, "o" * 38)] == (1, 1)
    assert sum(count for count, _ in rows.values()) == 4


def test_the_worst_are_worse_than_their_length_explains():
    worst = measure(PAIRS)["worst"]
    # Errors less 7/54 of the length: 4 − 0.26, 1 − 0.78, 2 − 5.19; what is right is not among them.
    assert [row["row"] for row in worst] == [2, 1, 3]
    assert worst[0] == {"row": 2, "cer": 2.0, "errors": 4} | vars(PAIRS[2])
    assert measure(PAIRS[:1])["worst"] == []


@pytest.mark.parametrize(
    ("what", "text", "left"),
    [
        (["tones"], "ka¹a³ ka1a32 á à â ā ǎ tɨ˥˩ 12", "kaa kaa a a a a a tɨ 12"),
        (["tones"], "ñü ã̀ ã́5 ẹ́", "ñü ã ã ẹ"),  # tilde, diaeresis and dot are of the letter
        (["punctuation"], "Sí, ¡ka'a¹!", "Sí ka'a¹"),
        (["case"], "Ñaá", "ñaá"),
        (["ʔ:"], "aʔa: á", "aa á"),
        (["\u0301"], "á ǘ n", "a ü n"),
        (["n"], "ñn", "ñ"),  # a letter is not taken out of another
        (["tones", "punctuation", "case"], "Ká¹!", "ka"),
        ([{"regex": {"a+": "a"}}], "kaaa", "ka"),
    ],
)
def test_what_is_ignored(what, text, left):
    assert ignoring(what)(text) == left


def test_ignored_on_both_sides():
    found = measure(PAIRS, ["tones"])["ignoring"]
    # "ka na" twice right, "ti" heard as "ti ti", two of forty characters missed.
    assert (found["what"], found["cer"], found["wer"]) == (["tones"], 5 / 52, 2 / 6)
    assert found["cer_low"] <= found["cer"] <= found["cer_high"]


def test_a_slip_in_what_is_ignored_is_named():
    with pytest.raises(U2UError, match="--ignore tonos: give tones, punctuation, case"):
        ignoring(["tonos"])
    with pytest.raises(U2UError, match="no rule is called 'tone'"):
        ignoring([{"tone": "drop"}])


def test_the_table_of_pairs_has_a_line_for_each():
    odd = replace(PAIRS[0], recording="a\tb\nc", hypothesis="")
    assert as_tsv([odd, PAIRS[1]]).splitlines() == [
        "recording\ttier\tspeaker\tstart_ms\tend_ms\treference\thypothesis",
        "a b c\tAna_tx\tAna\t0\t3600\tka¹ ná\t",
        "story\tEva_tx\tEva\t3661001\t3668201\tka¹ na\tka na",
    ]


def test_an_interval_is_drawn_on_its_bar():
    assert 'width="50.00%"' in bar(0.5, (0.25, 1))
    assert '<line x1="25.00%" x2="100.00%"' in bar(0.5, (0.25, 1))
    assert "line" not in bar(0.5)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Two utterances a split, of noise."""
    folder = tmp_path_factory.mktemp("noise") / "dataset"
    random = np.random.default_rng(0)
    for name in ("train", "validation", "test"):
        sounds = [flac_bytes((0.1 * random.standard_normal(16_000)).astype(np.float32)) for _ in range(2)]
        rows = {"audio": [{"bytes": sound, "path": None} for sound in sounds], "text": ["ab ña¹", "b"]}
        rows |= {"speaker": ["Ana", "Eva"], "recording": ["story"] * 2, "tier": ["tx"] * 2}
        rows |= {"start_ms": [0, 1000], "end_ms": [1000, 2000], "duration": [1.0, 1.0]}
        (folder / "data").mkdir(parents=True, exist_ok=True)
        datasets.Dataset.from_dict(rows).to_parquet(folder / "data" / f"{name}-00000-of-00001.parquet")
    return folder


def test_the_recipe_measures_shows_and_updates_the_card(random_model, dataset, recipe, tmp_path):
    model, output = tmp_path / "model", tmp_path / "scores"
    shutil.copytree(random_model, model)
    splits = datasets.load_dataset(str(dataset)).remove_columns("audio")
    told = {"wer": 1.0, "cer": 0.5}
    write_model_card(
        model, base_model="a/b", dataset=str(dataset), splits=splits, scores=told, settings={}, steps=1, seconds=1.0
    )
    arguments = ["--model", model, "--dataset", dataset, "--output_dir", output, "--ignore", "tones", "--update_card"]
    result = recipe("evaluate.py", *arguments)
    assert result.returncode == 0, result.stderr
    metrics = json.loads((output / "metrics.json").read_text(encoding="utf-8"))
    assert (metrics["utterances"], metrics["seconds"], set(metrics["speakers"])) == (2, 2, {"Ana", "Eva"})
    assert metrics["real_time_factor"] > 0
    pairs = [line.split("\t") for line in (output / "pairs.tsv").read_text(encoding="utf-8").splitlines()]
    assert [pair[5] for pair in pairs] == ["reference", "ab ña¹", "b"]
    again = scores_with_intervals([pair[6] for pair in pairs[1:]], [pair[5] for pair in pairs[1:]])
    assert metrics | again == metrics
    found = harmless((output / "evaluation.html").read_text(encoding="utf-8"))
    assert "model on test" in "".join(found.text)
    results = ModelCard.load(model / "README.md").data.eval_results
    assert [(r.dataset_split, r.metric_type, r.metric_value) for r in results] == [
        ("validation", "wer", 1.0),
        ("validation", "cer", 0.5),
        ("test", "wer", round(metrics["wer"], 4)),
        ("test", "cer", round(metrics["cer"], 4)),
    ]
    card = (model / "README.md").read_text(encoding="utf-8")
    assert "| test, ignoring tones | dataset | 2 |" in card
    assert "Ana" not in card


def test_a_card_that_is_nowhere_is_named_before_the_work(dataset, recipe, tmp_path):
    result = recipe("evaluate.py", "--model", "ana/m", "--dataset", dataset, "--output_dir", tmp_path, "--update_card")
    assert result.stderr == "error: --update_card: needs the model's folder, and ana/m is not one: download it first\n"


def test_a_new_metric_is_in_the_metrics_on_the_page_and_on_the_card(dataset, monkeypatch, tmp_path):
    def sentences(hypotheses, references):
        return np.array([[a != b, 1] for a, b in zip(hypotheses, references, strict=True)])

    old = measure(PAIRS)
    splits = datasets.load_dataset(str(dataset)).remove_columns("audio")
    write_model_card(
        tmp_path, base_model="a/b", dataset=str(dataset), splits=splits, scores=old, settings={}, steps=1, seconds=1.0
    )
    monkeypatch.setitem(METRICS, "ser", Metric("SER", "utterances", sentences))
    found = measure(PAIRS)
    assert (found["ser"], found["speakers"]["Ana"]["ser"]) == (3 / 4, 0)
    assert found["ser_low"] <= found["ser"] <= found["ser_high"]
    text = "".join(harmless(evaluation_page(found, "m on test")).text)
    assert "75.0%of utterances wrong (SER)" in text
    assert "CERfrom–toWERfrom–toSERfrom–to" in text
    add_scores(tmp_path, str(dataset), "test", found)
    card = ModelCard.load(tmp_path / "README.md")
    assert {r.metric_type: r.metric_value for r in card.data.eval_results if r.dataset_split == "test"}["ser"] == 0.75
    assert "| utterances | WER | CER | SER |" in card.text
    assert "| test | dataset | 4 | " in card.text
