"""How far a project is, by its files; the commands; and what a training tells."""

import json
import os
import subprocess
import sys

import pytest

from u2u_hf.command_line.recipe_commands import shown
from u2u_hf.output_folder import set_aside
from u2u_hf.project import bases, rules
from u2u_hf.project.commands import command, round_command, share_commands
from u2u_hf.project.folder import Project
from u2u_hf.project.steps import STEPS, all_steps, next_step, state_of
from u2u_hf.project.training_log import training_of
from u2u_hf.records import U2UError


@pytest.fixture
def project(tmp_path):
    (tmp_path / "corpus").mkdir()
    project = Project(tmp_path / "my project")
    project.set_paths(tmp_path / "corpus")
    return project


def made(path, at):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    os.utime(path, (at, at))


def states(project):
    return [step.state for step in all_steps(project).values()]


def test_steps_follow_from_what_lies_in_the_folder(project):
    assert states(Project(project.folder / "other")) == ["open"] + ["blocked"] * 7
    assert states(project) == ["finished", "open", "open"] + ["blocked"] * 5
    assert next_step(all_steps(project)) == "corpus"
    made(project.dataset / "prepare.yaml", 100)
    assert states(project) == ["finished", "finished", "finished", "open"] + ["blocked"] * 4
    made(project.model / "checkpoint-10" / "trainer_state.json", 150)
    assert state_of(project, "train") == "unfinished"
    made(project.model / "train.yaml", 200)
    assert states(project)[3:] == ["finished", "open", "open", "blocked", "open"]
    made(project.scores / "evaluation.html", 300)
    made(project.transcripts / "a.eaf", 400)
    assert states(project)[3:6] == ["finished"] * 3
    made(project.config("prepare"), 500)
    assert next_step(all_steps(project)) == "prepare"
    made(project.dataset / "prepare.yaml", 600)
    assert states(project)[2:6] == ["finished", "outdated", "outdated", "finished"]


def test_a_run_in_a_terminal_is_seen(project):
    project.dataset.mkdir()
    code = f"""
from pathlib import Path
from u2u_hf import folder_lock
folder_lock.take(Path({str(project.dataset)!r}))
print("taken", flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as terminal:
        assert terminal.stdout.readline() == "taken\n"
        assert state_of(project, "prepare") == "running"
        with pytest.raises(U2UError, match="a run is writing into it: stop it first"):
            set_aside(project.dataset)
        terminal.stdin.write("\n")
        terminal.stdin.close()
    assert state_of(project, "prepare") == "open"
    assert set_aside(project.dataset).name == "dataset-before-1"


def test_commands_are_those_that_a_person_types(project, understood, monkeypatch):
    monkeypatch.setenv("PATH", "")  # no GPUs, on any computer
    made(project.config("prepare"), 1)
    made(project.model / "checkpoint-10" / "trainer_state.json", 1)
    typed = {name: shown(command(project, name)) for name in STEPS[1:6]}
    folder = project.folder
    assert typed["prepare"] == (
        f"python recipes/prepare.py --config '{folder}/prepare.yaml' --corpus {folder.parent}/corpus "
        f"--output_dir '{folder}/dataset'"
    )
    assert typed["corpus"].endswith(f"--output_dir '{folder}/look' --inspect")
    assert typed["train"].endswith("--resume")
    (project.model / "train.yaml").write_text("dataset: x\n")  # of a training that has ended
    typed |= {name: shown(words) for name, words in share_commands(project, "a/b", "a/c", "browser").items()}
    assert typed["push"] == (
        f"python recipes/train.py --config '{folder}/model/train.yaml' --output_dir '{folder}/model' --resume "
        "--push_to a/b"
    )
    assert {"deploy", "elan", "export", "praat"} <= set(typed)
    typed["gradio"] = shown(share_commands(project, "a/b", "a/c", "gradio", "NAME")["deploy"])
    assert typed["gradio"].endswith("--model a/b --space a/c --kind gradio --token_from NAME")
    assert share_commands(project, "", "a/c", "gradio").keys() == {"export", "elan", "praat"}
    typed["round"] = shown(round_command(project))
    for line in typed.values():
        understood(line)


def test_the_demonstration_model_has_settings_of_its_own(project):
    bases.set_budget(project, "30s")
    bases.choose(project, bases.BASES[-1].model)
    own = project.settings("train")
    assert own["learning_rate"] == 1e-3
    assert "max_steps" not in own
    bases.choose(project, bases.BASES[0].model)
    assert project.settings("train") == {"model": "utter-project/mHuBERT-147", "time_budget": "30s"}
    assert bases.needs_download(bases.chosen(project))
    assert not bases.needs_download(bases.BASES[-1].model)


def test_what_a_training_tells(project):
    checkpoint = project.model / "checkpoint-60"
    checkpoint.mkdir(parents=True)
    history = [{"step": 20, "loss": 3.2}, {"step": 60, "eval_cer": 0.1045}]
    (checkpoint / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    log = """
  reference   ni tlahtoa
  hypothesis  ni tlatoa
step 60: validation CER 10.5%, WER 88.8%, loss 0.225
training: 51% 122/240 [02:13<02:38,  1.34s/step, loss=0.013, audio s/s=17, CER=4.7%]
step 120: validation CER 4.7%, WER 44.9%, loss 0.176
training: 61% 00:31<00:20, loss=0.008
"""
    told = training_of(project, log)
    assert (told.share, told.left) == (0.61, "00:20")
    assert told.scores == [(60, 0.105), (120, 0.047)]
    assert told.samples == [("ni tlahtoa", "ni tlatoa")]
    assert training_of(project, "").scores == [(60, 0.1045)]


def test_a_replacement_comes_before_punctuation_and_can_be_taken_back():
    usual = rules.rules_of({})
    more = rules.with_replacement(rules.with_replacement(usual, "’", "ʼ"), "1", "")
    assert [next(iter(rule)) for rule in more] == ["unicode", "markup", "brackets", "case", "replace", "punctuation"]
    assert more[4] == {"replace": {"’": "ʼ", "1": ""}}
    rule, punctuation = rules.written(more)[4:]
    assert rule == "replace: {'’': 'ʼ', '1': ''}"
    left = rules.without(more, rule, "1")
    assert left[4] == {"replace": {"’": "ʼ"}}
    assert rules.without(left, rules.written(left)[4], "’") == usual
    assert rules.without(usual, punctuation) == usual[:4]
    # What was removed meanwhile, in another window or by the click before, takes nothing else with it.
    assert rules.without(left, rule, "1") == left
    assert rules.without(more, rule, "2") == more
    assert rules.without(usual, punctuation, "2") == usual
    assert rules.without(usual[:4], punctuation) == usual[:4]
