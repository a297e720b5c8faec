import shutil

import pytest
from model_info import ModelFacts, about, facts, fetch
from strings import STRINGS, say_in

from u2u_hf.data.dataset import load_splits
from u2u_hf.evaluation.verdict import grade
from u2u_hf.publishing.cards.model import write_model_card
from u2u_hf.publishing.space_settings import SpaceVariables
from u2u_hf.records import U2UError


def test_a_model_that_cannot_be_had_is_named():
    with pytest.raises(U2UError, match="the Hugging Face Hub is not asked"):
        fetch(SpaceVariables(model="ana/ears"))


def test_what_the_card_tells(random_model, demo_dataset, tmp_path):
    folder = tmp_path / "ears"
    shutil.copytree(random_model, folder)
    assert facts(folder, SpaceVariables(model=str(folder)), "torch") == ModelFacts("ears", engine="torch")
    write_model_card(folder, base_model="base", dataset=str(demo_dataset), splits=load_splits(demo_dataset),
                     scores={"wer": 0.5, "cer": 0.123}, settings={}, steps=1, seconds=1.0)  # fmt: skip
    assert facts(folder, SpaceVariables(model=str(folder))).score == (0.123, "validation")
    snapshot = folder.rename(tmp_path / ("ab12" * 10))
    assert facts(snapshot, SpaceVariables(model="ana/ears", revision="main")).revision == "main ab12ab12"


@pytest.mark.parametrize("language", STRINGS)
def test_a_first_look_tells_language_model_quality_and_privacy(language):
    say = say_in(language)
    told = about(ModelFacts("ana/<ears>", "main ab12", "nci", score=(0.123, "test")), say)
    assert f"<dt>{say('about_language')}</dt><dd>nci</dd>" in told
    assert f"<dt>{say('about_model')}</dt><dd>ana/&lt;ears&gt; main ab12</dd>" in told
    assert f"<dd>{say('cer', cer='12.3%', split='test', verdict=say('faster'))}</dd>" in told
    assert say("private") in told
    assert say("about_license") not in told
    unknown = about(ModelFacts("ears"), say)
    assert say("language_unknown") in unknown
    assert say("cer_unknown") in unknown


def test_every_grade_of_a_model_has_its_words():
    assert STRINGS["en"].keys() == STRINGS["es"].keys()
    for cer in (0.0, 0.1, 0.2, 0.4, 1.5):
        assert grade(cer) in STRINGS["en"]


def result(value):
    return (
        "---\nlicense: mit\nmodel-index:\n- name: m\n  results:\n  - task: {type: asr}\n"
        f"    dataset: {{name: d, type: d}}\n    metrics: [{{type: cer, value: {value}}}]\n---\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "no front matter", "---\n---\n", "---\n- a\n- b\n---\n", "---\na: [\n---\n", "---\n\ttab: 1\n---\n",
        "---\n5\n---\n", "---\nlicense: [mit, 3]\n---\n", "---\nmodel-index: 5\n---\n", "---\nmodel-index: [5]\n---\n",
        "---\nmodel-index: [{name: 1, results: 7}]\n---\n", "---\nmodel-index: {a: b}\n---\n",
        "---\nlicense: !!python/object:os.system {}\n---\n", result("good"), result("null"), result(".nan"),
        result("[1]"), result("true"), result(".inf"), result("1" + "0" * 400),
        b"\xff\xfe\x00", "---\n" + "[" * 3000 + "\n---\n",
    ],
)  # fmt: skip
def test_a_damaged_card_tells_nothing_and_stops_nothing(tmp_path, text):
    folder = tmp_path / "ears"
    folder.mkdir()
    (folder / "README.md").write_bytes(text if isinstance(text, bytes) else text.encode())
    found = facts(folder, SpaceVariables(model=str(folder)))
    assert found in (ModelFacts("ears"), ModelFacts("ears", license="mit"), ModelFacts("ears", license="mit, 3"))


def test_all_licences_are_told(tmp_path):
    (tmp_path / "README.md").write_text("---\nlicense: [mit, cc-by-nc-4.0, 3]\n---\n")
    assert facts(tmp_path, SpaceVariables(model=str(tmp_path))).license == "mit, cc-by-nc-4.0"


@pytest.mark.parametrize("value", ["-0.1", "12.3", "1" + "0" * 400, "-1" + "0" * 400, ".nan", ".inf", "true"])
def test_a_score_that_no_share_is_leaves_the_rest_of_the_card(tmp_path, value):
    (tmp_path / "README.md").write_text(result(value))
    assert facts(tmp_path, SpaceVariables(model=str(tmp_path))) == ModelFacts(tmp_path.name, license="mit")
