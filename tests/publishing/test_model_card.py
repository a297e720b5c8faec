"""The model's card: its numbers by hand, read back as the Hub reads it, and nobody's name or words in it."""

import re

import datasets
import pytest
import yaml
from conftest import PROJECT
from huggingface_hub import EvalResult, ModelCard

from u2u_hf.demo.quickstart import BASE_MODEL
from u2u_hf.evaluation.card_score import card_score
from u2u_hf.publishing.cards.model import add_export, add_scores, write_model_card
from u2u_hf.records import U2UError
from u2u_hf.training.float16 import numbers


def split(*rows):
    columns = ("speaker", "recording", "text", "duration")
    return datasets.Dataset.from_list([dict(zip(columns, row, strict=True)) for row in rows])


SPLITS = datasets.DatasetDict(
    train=split(("Ana", "story", "ab ña", 1800.0), ("Benito", "story", "¹ secreto", 5400.0)),
    validation=split(("Ana", "talk", "b", 360.0), ("Cruz", "talk", "b a", 360.0)),
    test=split(("Cruz", "song", "a", 60.0)),
)
SCORES = {"wer": 0.25, "cer": 0.125}
TEST_SCORES = {
    "utterances": 1, "wer": 0.5, "wer_low": 0.25, "wer_high": 1.0, "cer": 0.123456, "cer_low": 0.1, "cer_high": 0.15
}  # fmt: skip
DATASET_CARD = """---
language: [xty, 'no']
license: cc-by-4.0
pretty_name: Words of the Aldea
---
"""


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "Aldea"
    folder.mkdir()
    (folder / "README.md").write_text(DATASET_CARD, encoding="utf-8")
    return str(folder)


def written(tmp_path, dataset, **changes):
    settings = {"dataset": "Aldea", "model": "base", "output_dir": "out", "max_steps": 1234, "learning_rate": 1e-4}
    given = {"base_model": "utter-project/mHuBERT-147", "dataset": dataset, "splits": SPLITS, "scores": SCORES}
    given |= {"settings": settings, "steps": 1234, "seconds": 5400.0, "memory": "5.3 GB of GPU memory"} | changes
    write_model_card(tmp_path / "model", **given)
    return ModelCard.load(tmp_path / "model" / "README.md")


def rows(card, first):
    """The cells of the table whose heading begins so, without the heading."""
    lines = card.text.split(f"| {first} |")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_numbers_worked_out_by_hand(tmp_path, dataset):
    card = written(tmp_path, dataset)
    assert rows(card, "split | dataset") == [["validation", "Aldea", "2", "25.0%", "12.5%"]]
    assert rows(card, "split | utterances") == [
        ["train", "2", "2.0 h", "2", "–", "1", "–"],
        ["validation", "2", "12.0 min", "2", "1", "1", "0"],
        ["test", "1", "1.0 min", "1", "0", "1", "0"],
    ]
    assert "It writes 11 characters (␣ is the space) and no others: ␣ a b c e o r s t ¹ ñ\n" in card.text
    assert "fine-tuned with CTC on 2.0 h of transcribed speech." in card.text
    assert "Training took 1.5 h (1,234 steps) on " in card.text
    assert "processor cores, with at most 5.3 GB of GPU memory.\n" in card.text
    code = "\n".join(line[4:] for line in card.text.split("these settings:")[1].splitlines() if line.strip())
    assert yaml.safe_load(code) == {"max_steps": 1234, "learning_rate": 1e-4}


def test_the_curves_are_shown_if_there_are_any(tmp_path, dataset):
    assert "training_curves.png" not in written(tmp_path, dataset).text
    (tmp_path / "model" / "training_curves.png").touch()
    assert "](training_curves.png)\n\nWith u2u-hf" in written(tmp_path, dataset).text


def test_the_front_matter_is_what_the_hub_reads(tmp_path, dataset):
    card = written(tmp_path, dataset, repo_id="ana/aldea-asr")
    assert card.data.to_dict() == {
        "language": ["xty", "no"],
        "license": "cc-by-nc-sa-4.0",
        "base_model": "utter-project/mHuBERT-147",
        "library_name": "transformers",
        "pipeline_tag": "automatic-speech-recognition",
        "tags": ["hubert", "ctc", "u2u-hf"],
        "metrics": ["wer", "cer"],
        "model-index": [
            {
                "name": "aldea-asr",
                "results": [
                    {
                        "task": {"type": "automatic-speech-recognition"},
                        "dataset": {"name": "Aldea", "type": "Aldea", "split": "validation"},
                        "metrics": [{"type": "wer", "value": 0.25}, {"type": "cer", "value": 0.125}],
                    }
                ],
            }
        ],
    }
    assert "cc-by-nc-sa-4.0, inherited from utter-project/mHuBERT-147. No commercial use. Works made" in card.text
    assert 'pipeline("automatic-speech-recognition", "ana/aldea-asr")' in card.text
    assert "The dataset: Words of the Aldea, under the licence cc-by-4.0.\n" in card.text
    assert "for xty, no: it writes" in card.text


def test_the_licence_is_that_of_the_base(tmp_path, dataset):
    card = written(tmp_path, dataset, base_model=str(BASE_MODEL))
    assert card.data.license == "apache-2.0"
    assert card.data.base_model is None  # a folder is no name on the Hub
    assert "apache-2.0, inherited from base.\n" in card.text
    tuned = tmp_path / "model"  # and what is fine-tuned again inherits it again
    add_scores(tuned, dataset, "test", TEST_SCORES)
    again = written(tmp_path / "again", dataset, base_model=str(tuned))
    assert again.data.license == "apache-2.0"


@pytest.mark.parametrize(
    ("base", "licence", "said"),
    [
        ("facebook/mms-300m", "cc-by-nc-4.0", "cc-by-nc-4.0, inherited from facebook/mms-300m. No commercial use."),
        ("hf-audio/omniasr-ctc-300m-v2", "apache-2.0", "apache-2.0, inherited from hf-audio/omniasr-ctc-300m-v2."),
        ("ana/base", None, "That of ana/base, from which it was trained."),
    ],
)
def test_terms_are_told_without_the_card_of_the_base(tmp_path, dataset, base, licence, said):
    card = written(tmp_path, dataset, base_model=base)
    assert (card.data.license, card.data.base_model) == (licence, base)
    assert f"## Licence\n\n{said}\n\n## " in card.text


def test_the_licences_are_those_of_the_table_in_the_readme(tmp_path, dataset):
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| .* \(`(.+/.+)`\) \| (\S+) \|", readme, re.MULTILINE)
    assert len(rows) > 5
    for base, licence in rows:
        assert written(tmp_path, dataset, base_model=base).data.license == licence.lower(), base


def test_a_run_that_left_float16_is_told(tmp_path, dataset):
    history = [{"step": 8, "loss": 1.0}, {"step": 8, "float16_failed_at": 1019}, {"step": 12, "loss": 0.5}]
    card = written(tmp_path, dataset, numbers=numbers(history))
    told = "float16 failed at step 1,019, so the model was trained in float32 from step 8 on.\n"
    assert f"processor cores, with at most 5.3 GB of GPU memory. {told}" in card.text


def test_what_is_unknown_is_left_out(tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    plain = SPLITS.remove_columns(["speaker", "recording"])
    del plain["test"]
    card = written(tmp_path, "ana/not-there", base_model=str(bare), splits=plain, settings={})
    known = {"datasets", "library_name", "pipeline_tag", "tags", "metrics", "model-index"}
    assert set(card.data.to_dict()) == known
    assert card.data.datasets == ["ana/not-there"]
    assert "A speech recogniser: it writes" in card.text
    assert "The dataset: ana/not-there.\n" in card.text
    assert "That of bare, from which it was trained." in card.text
    assert rows(card, "split | utterances") == [["train", "2", "2.0 h"], ["validation", "2", "12.0 min"]]
    assert "# the defaults" in card.text


@pytest.mark.parametrize(
    ("front_matter", "language", "licence", "shown"),
    [
        ("language: [no]\nlicense: true", None, None, "A speech recogniser: it"),
        ("language: 3\nlicense: 4.0", None, None, "A speech recogniser: it"),
        ("language: no\nlicense: [mit, 3]\npretty_name: 7", None, "mit", "A speech recogniser: it"),
        ("language: [xty, no, 3, null, [a]]\nlicense: {a: b}", ["xty"], None, "A speech recogniser for xty: it"),
        ("language_bcp47: yes\nlanguage: xty\nlicense: [mit, x]", ["xty"], ["mit", "x"], "recogniser for xty: it"),
    ],
)
def test_of_somebodys_card_only_strings_are_taken(tmp_path, front_matter, language, licence, shown):
    folders = [tmp_path / "base", tmp_path / "words"]
    for folder in folders:
        folder.mkdir()
        (folder / "README.md").write_text(f"---\n{front_matter}\nbase_model: 3\nlicense_name: 1\n---\n")
    card = written(tmp_path, str(folders[1]), base_model=str(folders[0]))
    assert (card.data.language, card.data.license) == (language, licence)
    assert (card.data.base_model, card.data.license_name) == (None, None)
    assert shown in card.text
    assert "The dataset: words" in card.text


@pytest.mark.parametrize("cer", [0.4, 0.76])
def test_a_card_calls_a_useless_model_one(tmp_path, dataset, cer):
    doubt = "This model is not useful yet: with a CER of {} ({}), correcting its drafts takes longer than typing."
    card = written(tmp_path, dataset, scores={"wer": 1.0, "cer": cer})
    percent = f"{100 * cer:.1f}%"
    assert f"\n\n**{doubt.format(percent, 'validation')}**\n\n<!-- end of scores -->" in card.text
    assert rows(card, "split | dataset") == [["validation", "Aldea", "2", "100.0%", percent]]
    add_scores(tmp_path / "model", dataset, "test", {**TEST_SCORES, "cer": 0.5})  # the test split says more
    card = ModelCard.load(tmp_path / "model" / "README.md")
    assert card.text.count("not useful yet") == 1
    assert doubt.format("50.0%", "test") in card.text
    assert len(rows(card, "split | dataset")) == 2
    add_scores(tmp_path / "model", dataset, "test", TEST_SCORES)
    card = ModelCard.load(tmp_path / "model" / "README.md")
    assert "not useful yet" not in card.text
    assert len(rows(card, "split | dataset")) == 2


@pytest.mark.parametrize(
    "results",
    [
        "eval_results: [a, b]\nmodel_name: m", "eval_results: text\nmodel_name: m", "eval_results: 5\nmodel_name: m",
        "eval_results: {a: b}\nmodel_name: m", "model-index: 5", "model-index: [a]", "model-index: {a: b}",
        "model-index: [{name: m, results: [null]}]", "model-index: [{name: m, results: [[1]]}]",
        "model-index: [{name: m, results: text}]", "model-index: [{name: m, results: null}]",
    ],
)  # fmt: skip
def test_results_that_are_none_are_named(tmp_path, results):
    (tmp_path / "README.md").write_text(f"---\n{results}\n---\n<!-- scores -->\n<!-- end of scores -->\n")
    before = (tmp_path / "README.md").read_bytes()
    calls = (lambda: add_scores(tmp_path, "d", "test", TEST_SCORES), lambda: add_export(tmp_path, "| a |"))
    for call in calls:
        with pytest.raises(U2UError, match=r"README\.md: the scores .*cannot be added: .*: (move it away|remove it)"):
            call()
    assert (tmp_path / "README.md").read_bytes() == before


def test_a_card_without_results_gets_some_and_is_read_again(tmp_path):
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n<!-- scores -->\n<!-- end of scores -->\n")
    for split_name in ("validation", "test"):
        add_scores(tmp_path, "eva/words", split_name, TEST_SCORES)
    assert card_score(str(tmp_path)) == (0.1235, "test")


@pytest.mark.parametrize("value", ["-0.1", "12.3", "7600", "1" + "0" * 400, ".nan", ".inf", "good", "null", "true"])
def test_a_score_that_cannot_be_one_is_not_told(tmp_path, value):
    result = f"{{task: {{type: asr}}, dataset: {{name: d, type: d}}, metrics: [{{type: cer, value: {value}}}]}}"
    (tmp_path / "README.md").write_text(f"---\nmodel-index: [{{name: m, results: [{result}]}}]\n---\n")
    assert card_score(str(tmp_path)) is None


def test_too_little_memory_is_no_damage_to_a_card(tmp_path, monkeypatch):
    def full(*_arguments, **_settings):
        raise MemoryError

    monkeypatch.setattr("huggingface_hub.ModelCard.load", full)
    with pytest.raises(U2UError, match=r"README\.md: the scores cannot be added: there is not enough memory"):
        add_scores(tmp_path, "d", "test", TEST_SCORES)


def test_nobody_is_named_or_quoted_nor_is_the_computer(tmp_path, dataset):
    written(tmp_path, dataset)
    add_scores(tmp_path / "model", dataset, "test", TEST_SCORES)
    made = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    for secret in ("Ana", "Benito", "Cruz", "secreto", "story", "talk", "song", str(tmp_path)):
        assert secret not in made


def test_scores_of_other_splits_are_added_and_those_of_the_same_replaced(tmp_path, dataset):
    written(tmp_path, dataset)
    path = tmp_path / "model" / "README.md"
    path.write_text(path.read_text(encoding="utf-8") + "\nA word of my own.\n", encoding="utf-8")
    ignoring = {"what": ["tones"], "wer": 0.4, "wer_low": 0.3, "wer_high": 0.5, "cer": 0.1}
    for wer in (0.9, 0.5):
        add_scores(tmp_path / "model", dataset, "test", {**TEST_SCORES, "wer": wer, "ignoring": ignoring})
    add_scores(tmp_path / "model", "eva/other", "test", TEST_SCORES)
    card = ModelCard.load(path)
    assert rows(card, "split | dataset") == [
        ["validation", "Aldea", "2", "25.0%", "12.5%"],
        ["test", "Aldea", "1", "50.0% (25.0–100.0%)", "12.3% (10.0–15.0%)"],
        ["test, ignoring tones", "Aldea", "1", "40.0% (30.0–50.0%)", "10.0%"],
        ["test", "eva/other", "1", "50.0% (25.0–100.0%)", "12.3% (10.0–15.0%)"],
    ]
    assert card.text.endswith("\nA word of my own.\n")
    told = [(r.dataset_name, r.dataset_split, r.metric_type, r.metric_value) for r in card.data.eval_results]
    assert told == [
        ("Aldea", "validation", "wer", 0.25),
        ("Aldea", "validation", "cer", 0.125),
        ("Aldea", "test", "wer", 0.5),
        ("Aldea", "test", "cer", 0.1235),
        ("eva/other", "test", "wer", 0.5),
        ("eva/other", "test", "cer", 0.1235),
    ]
    assert all(isinstance(result, EvalResult) for result in card.data.eval_results)
    add_scores(tmp_path / "model", dataset, "test", TEST_SCORES)  # nothing ignored: that row goes
    assert "ignoring" not in path.read_text(encoding="utf-8")


def test_a_card_that_is_not_ours_is_left_alone(tmp_path):
    with pytest.raises(U2UError, match="it is not the card of a model"):
        add_scores(tmp_path, "d", "test", TEST_SCORES)
    theirs = "---\nlicense: mit\n---\n# Mine\n"
    (tmp_path / "README.md").write_text(theirs, encoding="utf-8")
    with pytest.raises(U2UError, match=r"README\.md: the scores cannot be added: add the lines <!-- scores -->"):
        add_scores(tmp_path, "d", "test", TEST_SCORES)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == theirs


@pytest.mark.parametrize("marks", ["<!-- end of scores --> <!-- scores -->", "<!-- onnx -->"])
def test_a_card_whose_marks_were_edited_is_left_alone(tmp_path, marks):
    theirs = f"---\nlicense: mit\n---\n# Mine\n{marks}\nwhat I wrote\n"
    (tmp_path / "README.md").write_text(theirs, encoding="utf-8")
    with pytest.raises(U2UError, match=r"README\.md: the scores .*cannot be added: add the line"):
        add_export(tmp_path, "| a |") if "onnx" in marks else add_scores(tmp_path, "d", "test", TEST_SCORES)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == theirs
