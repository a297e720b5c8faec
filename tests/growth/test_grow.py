"""Two rounds of a project, the second one killed in the middle of each program and between all steps."""

import json
import random
import shutil
import xml.etree.ElementTree as ET

import pytest
import soundfile
from support.html_pages import harmless
from support.projects import TRAIN, Killed, Runner, grown

from u2u_hf.data.dataset import load_splits
from u2u_hf.formats.eaf import read_eaf
from u2u_hf.growth import grow
from u2u_hf.growth.rounds import Round, rounds_of
from u2u_hf.growth.wishes import Wishes, wishes
from u2u_hf.project.folder import Project
from u2u_hf.records import CORRECTED_TYPE, SEGMENT_TYPE, U2UError

WITH_PROGRAMS = "prepare train compare test transcribe".split()
STEPS = "changes prepare train language_model compare keep test transcribe forecast push report".split()


def edited(path, change):
    """Change the tiers of segments of an .eaf as a person does in ELAN."""
    tree = ET.parse(path)
    for tier in tree.getroot().iter("TIER"):
        if tier.get("LINGUISTIC_TYPE_REF") == SEGMENT_TYPE:
            change(tier)
    tree.write(path, encoding="UTF-8", xml_declaration=True)


def looked_through(tier):
    tier.set("LINGUISTIC_TYPE_REF", CORRECTED_TYPE)
    next(tier.iter("ANNOTATION_VALUE")).text = "axcan quitta in tetl"


@pytest.fixture(scope="module")
def first(demo_folder, new_recording, trained_model, tmp_path_factory):
    """A project after its first round: two short recordings were transcribed, and one of them corrected."""
    root = tmp_path_factory.mktemp("grown")
    signal, rate = soundfile.read(new_recording, stop=20 * 48_000)
    (root / "new").mkdir()
    for name, half in (("one", signal[: 10 * rate]), ("two", signal[10 * rate :])):
        soundfile.write(root / "new" / f"{name}.wav", half, rate)
    project = Project(root / "project")
    project.set_paths(demo_folder / "corpus", [root / "new"])
    project.set_settings("train", {"model": str(trained_model)} | TRAIN)
    growth = grown(project, Runner())
    assert list(growth.round.facts) == STEPS
    assert {path.stem for path in project.transcripts.glob("*.eaf")} == {"one", "two"}
    assert grown(project, Runner()) is None  # nobody changed anything
    edited(project.transcripts / "one.eaf", looked_through)
    return project


def copied(project, folder):
    shutil.copytree(project.folder, folder)
    return Project(folder)


def end_of(project):
    """All that a round leaves, without times and places."""
    rows = [dict(row, audio=row["audio"]["bytes"]) for split in load_splits(project.dataset).values() for row in split]
    state = rounds_of(project)[-1].facts
    return {
        "model": (project.model / "model.safetensors").read_bytes(),
        "earlier": (project.rounds / "02" / "earlier_model" / "model.safetensors").read_bytes(),
        "dataset": rows,
        "splits": (project.rounds / "02" / "splits.csv").read_text(encoding="utf-8"),
        "transcripts": {path.name: read_eaf(path).tiers for path in sorted(project.transcripts.glob("*.eaf"))},
        "drafts": {path.name: read_eaf(path).tiers for path in sorted((project.rounds / "02/drafts").glob("*.eaf"))},
        "queue": (project.transcripts / "queue.tsv").read_text(encoding="utf-8"),
        "growth": json.loads((project.folder / "growth.json").read_text(encoding="utf-8")),
        "facts": {step: found for step, found in state.items() if step not in ("changes", "prepare", "train")},
        "lines": state["changes"]["lines"],
    }


def test_a_round_that_is_killed_again_and_again_comes_to_the_same_end(first, tmp_path, monkeypatch):
    straight, killed = copied(first, tmp_path / "straight"), copied(first, tmp_path / "killed")
    kept = (first.transcripts / "one.eaf").read_bytes()
    before = {path.name: path.read_bytes() for path in first.transcripts.glob("*.eaf")}
    runner = Runner()
    growth = grown(straight, runner)
    assert [recipe for recipe, _ in runner.seconds] == [
        "prepare.py", "train.py", "evaluate.py", "evaluate.py", "evaluate.py", "transcribe.py"
    ]  # fmt: skip

    # What the round is for.
    facts = growth.round.facts
    assert (facts["compare"]["is_better"], facts["transcribe"]) == (True, {"written": 1})
    assert (straight.transcripts / "one.eaf").read_bytes() == kept
    assert (straight.transcripts / "two.eaf").read_bytes() != before["two.eaf"]
    tiers = [
        tier for tier in read_eaf(straight.transcripts / "one.eaf").tiers if tier.linguistic_type == CORRECTED_TYPE
    ]
    texts = sorted(a.value for tier in tiers for a in tier.annotations if a.value.strip())
    rows = load_splits(straight.dataset)["train"].filter(lambda row: row["recording"] == "one")
    assert sorted(rows["raw_text"]) == texts
    assert "axcan quitta in tetl" in texts
    assert "one" not in (straight.dataset / "prepare.yaml").read_text(encoding="utf-8")  # which is pushed
    queue = (straight.transcripts / "queue.tsv").read_text(encoding="utf-8")
    assert "two.wav" in queue
    assert "one.wav" not in queue
    assert (straight.rounds / "01/splits.csv").read_text("utf-8").splitlines()[1:] < end_of(straight)[
        "splits"
    ].splitlines()
    one, two = json.loads((straight.folder / "growth.json").read_text(encoding="utf-8"))
    assert one["edited_share"] is None
    assert 0 < two["edited_share"] < 1
    assert two["hours"] > one["hours"]
    harmless((straight.folder / "growth.html").read_text(encoding="utf-8"))

    # Killed in each program, at a random moment, and after each step, before or after it is noted. (Before, only where
    # that takes no program: it would be run again to its end.)
    rng = random.Random(int.from_bytes((straight.folder / "growth.json").read_bytes()[-4:], "big"))
    moments = {program: rng.uniform(0.2, 0.8) * seconds for program, seconds in runner.seconds.items()}
    to_kill = {(step, True) for step in STEPS} | {(step, False) for step in STEPS if step not in WITH_PROGRAMS}
    finish = Round.finish

    def killed_at(one, step, found=None):
        for is_noted in (False, True):
            if is_noted:
                finish(one, step, found)
            if (step, is_noted) in to_kill:
                to_kill.remove((step, is_noted))
                raise Killed

    monkeypatch.setattr(Round, "finish", killed_at)
    kills = 0
    while to_kill:
        try:
            grown(killed, Runner(moments))
        except Killed:
            kills += 1
    assert grown(killed, Runner()) is None
    assert kills > len(STEPS)
    assert end_of(killed) == end_of(straight)


def test_a_file_that_is_changed_before_the_training_ends_takes_the_round_to_its_beginning(first, tmp_path):
    """Nothing is trained from an older state of a file; what is changed later is left to the next round."""
    project = copied(first, tmp_path / "changed")
    with pytest.raises(Killed):
        grown(project, Runner({("train.py", "model"): 0.0}))
    edited(project.transcripts / "two.eaf", looked_through)

    class Stops(Runner):
        def __call__(self, words, log=None):
            if words[1].endswith("train.py"):
                raise Killed
            return super().__call__(words, log)

    with pytest.raises(Killed):
        grown(project, Stops())
    rows = load_splits(project.dataset)["train"]
    assert {"one", "two"} <= set(rows["recording"])
    assert rounds_of(project)[-1].facts["changes"]["touched"] == ["one", "two"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ((30.0, None), "--time_budget: is too short, with nothing of it for the forecast: give 1m or more"),
        ((600.0, 60.0), "--forecast 1m: is too short for 5 trainings: give 5m or more, or 0s for none"),
        ((330.0, 300.0), "--time_budget: is too short, with 5m of it for the forecast: give 6m or more"),
    ],
)
def test_times_that_are_too_short_are_told(asked, message):
    with pytest.raises(U2UError, match=f"^{message}$"):
        wishes(*asked)


def test_a_quarter_of_the_time_is_for_the_forecast():
    assert wishes(3600, None) == Wishes(2700, 900)
    assert wishes(600, None) == Wishes(600, 0)  # too little for five trainings
    assert wishes(3600, 0) == Wishes(3600, 0)
    assert wishes(None, 600) == Wishes(None, 600)


def test_two_rounds_at_once_are_kept_apart(tmp_path):
    project = Project(tmp_path)
    with grow.lock(project):
        pass
    with grow.lock(project):
        pass
    assert not (project.rounds / ".u2u-hf.lock").exists()


def test_a_project_inside_its_corpus_is_refused(tmp_path):
    project = Project(tmp_path / "corpus" / "project")
    project.set_paths(tmp_path / "corpus")
    with pytest.raises(U2UError, match="lies in the corpus, which would then hold the drafts too"):
        grown(project, Runner())


def test_a_setting_that_would_push_each_model_is_refused(tmp_path):
    project = Project(tmp_path / "project")
    (tmp_path / "corpus").mkdir()
    project.set_paths(tmp_path / "corpus")
    project.set_settings("train", {"push_to": "ana/ears"})
    with pytest.raises(U2UError, match=r"train\.yaml: push_to, public: remove them, and give grow\.py --push_to"):
        grow.growth_of(project, None, Wishes())
