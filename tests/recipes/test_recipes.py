"""The recipes as a user runs them: each in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import RECIPES

from u2u_hf.data.dataset import load_splits
from u2u_hf.formats.eaf import read_eaf


def test_prepare_puts_every_speaker_on_the_channel_they_are_on(demo_dataset, demo_folder):
    truth = json.loads((demo_folder / "reference" / "channels.json").read_text(encoding="utf-8"))
    rows = [row for split in load_splits(demo_dataset).values() for row in split]
    assert len(rows) == 24
    for row in rows:
        name = row["recording"].removeprefix("elan/").removesuffix("_ed-2025-02-12")
        assert row["channel"] == truth[name][row["speaker"]]
        assert row["tier"] == f"{row['speaker']}_transcription"


def test_prepare_keeps_the_annotation_and_learns_its_plain_text(demo_dataset, demo_folder):
    written = {
        (path.stem, tier.name, a.start_ms): a.value
        for path in (demo_folder / "corpus" / "elan").glob("*.eaf")
        for tier in read_eaf(path).tiers
        for a in tier.annotations
    }
    marked = 0
    for split in load_splits(demo_dataset).values():
        for row in split:
            raw = written[row["recording"].removeprefix("elan/"), row["tier"], row["start_ms"]]
            assert row["raw_text"] == raw
            assert row["text"] == raw.replace("<i>", "").replace("</i>", "").lower().rstrip(" .!")
            marked += "<i>" in raw
    assert marked


def test_prepare_says_what_it_left_out(demo_dataset):
    report = json.loads((demo_dataset / "report.json").read_text(encoding="utf-8"))
    assert set(report["dropped"]) <= {"the annotation is empty"}
    assert report["tiers"]["notes"].startswith("looks like something else")
    assert not report["skipped_files"]


def test_prepare_again_with_its_own_settings_gives_the_same(demo_dataset, demo_folder, recipe, tmp_path):
    # The settings hold no absolute path, for they are pushed: where the corpus is has to be said again.
    places = ["--corpus", demo_folder / "corpus", "--output_dir", tmp_path]
    result = recipe("prepare.py", "--config", demo_dataset / "prepare.yaml", *places)
    assert result.returncode == 0, result.stderr
    assert "\r" not in result.stderr  # a pipe gets lines, not a bar that is drawn again
    for name, rows in load_splits(tmp_path).items():
        assert rows.to_list() == load_splits(demo_dataset)[name].to_list()


@pytest.fixture(scope="module")
def trained(demo_dataset, random_base, tmp_path_factory):
    output = tmp_path_factory.mktemp("trained") / "model"
    command = [sys.executable, "-m", "accelerate.commands.launch", "--quiet"]
    command += ["--config_file", str(RECIPES / "accelerate" / "cpu.yaml"), str(RECIPES / "train.py")]
    command += ["--dataset", str(demo_dataset), "--model", str(random_base), "--output_dir", str(output)]
    result = subprocess.run([*command, "--max_steps", "4"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "\r" not in result.stderr  # a pipe gets lines, not a bar that is drawn again
    return output


def test_train_evaluate_transcribe(trained, demo_dataset, demo_folder, recipe, tmp_path):
    result = recipe("evaluate.py", "--model", trained, "--dataset", demo_dataset, "--output_dir", tmp_path / "scores")
    assert result.returncode == 0, result.stderr
    assert "\r" not in result.stderr  # a pipe gets lines, not a bar that is drawn again
    scores = json.loads((tmp_path / "scores" / "metrics.json").read_text(encoding="utf-8"))
    assert scores["utterances"] == len(load_splits(demo_dataset)["test"])
    assert scores["cer"] > 0.5  # four steps from random weights
    pairs = (tmp_path / "scores" / "pairs.tsv").read_text(encoding="utf-8").splitlines()
    assert len(pairs) == scores["utterances"] + 1
    new = demo_folder / "new_recordings"
    result = recipe("transcribe.py", "--model", trained, "--output_dir", tmp_path / "out", "--formats", "eaf,srt", new)
    assert result.returncode == 0, result.stderr
    assert "\r" not in result.stderr  # a pipe gets lines, not a bar that is drawn again
    assert sorted(p.suffix for p in (tmp_path / "out").iterdir()) == [".eaf", ".srt", ".written"]


def test_real_recordings_in_abui(field_recordings, random_base, recipe, elan_schema, tmp_path):
    dataset, model = tmp_path / "dataset", tmp_path / "model"
    result = recipe("prepare.py", "--corpus", field_recordings / "transcribed", "--output_dir", dataset)
    assert result.returncode == 0, result.stderr
    rows = [row for split in load_splits(dataset).values() for row in split]
    # As ELAN shows them.
    assert sorted((r["recording"], r["start_ms"], r["end_ms"], r["text"], r["speaker"]) for r in rows) == [
        ("abui_1", 290, 1910, "amakaang di kaai hada muila", "SL"),
        ("abui_2", 890, 2960, "dining ayoku kamar mia mui muila", "SL"),
        ("abui_3", 1850, 4140, "hekaai dining ayoku kamar mia muila", "SL"),
        ("abui_4", 660, 2570, "hekaai deina del ong hayei ba", "SL"),
        ("abui_4", 3950, 6040, "hepikaai deina botol homi dong yaari", "SL"),
    ]
    result = recipe("train.py", "--dataset", dataset, "--model", random_base, "--output_dir", model,
                    "--max_steps", 3, "--use_cpu")  # fmt: skip
    assert result.returncode == 0, result.stderr
    result = recipe("transcribe.py", "--model", model, "--output_dir", tmp_path, field_recordings / "untranscribed")
    assert result.returncode == 0, result.stderr
    elan_schema(str(tmp_path / "audio.eaf"))
    document = read_eaf(tmp_path / "audio.eaf")
    segments = document.tiers[0].annotations
    assert len(segments) >= 3
    assert all(0 <= a.start_ms < a.end_ms <= 18_835 for a in segments)
    assert document.media[0].urls[0] == Path(os.path.abspath(field_recordings / "untranscribed" / "audio.wav")).as_uri()


def test_what_is_written_is_what_elan_reads(demo_folder, elan_schema):
    files = [*demo_folder.rglob("*.eaf")]
    assert len(files) == 5
    for path in files:
        elan_schema(str(path))


MISTAKES = {
    "no such corpus": ("prepare.py", ["--corpus", "{tmp}/gone"], "gone: there is no such folder"),
    "an empty corpus": ("prepare.py", ["--corpus", "{tmp}/empty"], "empty: no annotation file"),
    "no audio": ("prepare.py", ["--corpus", "{tmp}/silent"], "its audio is not in the corpus folder"),
    "not XML": ("prepare.py", ["--corpus", "{tmp}/broken"], "broken/a.eaf: is not XML"),
    "no such tier": ("prepare.py", ["--corpus", "{corpus}", "--tiers", "*SURFACE*"], "--tiers *SURFACE*: no tier"),
    "an unknown key": ("prepare.py", ["--config", "{tmp}/keys.yaml"], "unknown key 'corpsu': did you mean corpus?"),
    "an unknown flag": ("prepare.py", ["--corpus", "x", "--tires", "y"], "--tires: did you mean --tiers?"),
    "a bad rule": ("prepare.py", ["--config", "{tmp}/rule.yaml", "--corpus", "{corpus}"], "no rule is called 'lower'"),
    "no such dataset": ("train.py", ["--dataset", "{tmp}/gone", "--use_cpu"], "gone: there is no such dataset folder"),
    "no such model": (
        "train.py",
        ["--dataset", "{dataset}", "--model", "{tmp}/gone", "--use_cpu"],
        "gone: there is no such model folder",
    ),
    "no such trained model": ("transcribe.py", ["--model", "{tmp}/gone", "{corpus}"], "gone: there is no such model"),
    "a model that was not trained to write": (
        "transcribe.py",
        ["--model", "{base}", "{corpus}"],
        "has no vocabulary (vocab.json): take a model that recipes/train.py made",
    ),
    "no such recording": ("transcribe.py", ["--model", "x", "{tmp}/gone.wav"], "gone.wav: there is no such file"),
    "no such format": ("transcribe.py", ["--model", "x", "--formats", "doc", "x"], "--formats: 'doc' is not one of"),
    "no such split": (
        "evaluate.py",
        ["--model", "{model}", "--dataset", "{dataset}", "--split", "tset"],
        "has no utterance in split tset; there are: train, validation, test",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_clear_line(name, recipe, demo_folder, demo_dataset, random_base, trained, tmp_path):
    script, arguments, message = MISTAKES[name]
    eaf = next((demo_folder / "corpus" / "elan").glob("*.eaf"))
    for folder in ("empty", "silent", "broken"):
        (tmp_path / folder).mkdir()
    shutil.copy(eaf, tmp_path / "silent")
    (tmp_path / "broken" / "a.eaf").write_text("<ANNOTATION_DOCUMENT><TIER", encoding="utf-8")
    (tmp_path / "keys.yaml").write_text("corpsu: x\n", encoding="utf-8")
    (tmp_path / "rule.yaml").write_text("rules: [{lower: true}]\n", encoding="utf-8")
    places = {
        "tmp": tmp_path,
        "corpus": demo_folder / "corpus",
        "dataset": demo_dataset,
        "model": trained,
        "base": random_base,
    }
    before = sorted(tmp_path.rglob("*"))
    out = tmp_path / "out"
    result = recipe(script, *(a.format(**places) for a in arguments), "--output_dir", out)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last
    assert sorted(tmp_path.rglob("*")) == before  # nothing half-written


def test_one_bad_file_does_not_stop_the_rest_and_the_exit_status_says_so(demo_folder, recipe, tmp_path):
    shutil.copytree(demo_folder / "corpus", tmp_path / "corpus")
    (tmp_path / "corpus" / "elan" / "broken.eaf").write_text("no", encoding="utf-8")
    next((tmp_path / "corpus" / "audio").glob("*_02.wav")).unlink()
    result = recipe("prepare.py", "--corpus", tmp_path / "corpus", "--output_dir", tmp_path / "out")
    assert result.returncode == 3
    assert "! skipped" in result.stdout
    assert "broken.eaf: is not XML" in result.stdout
    assert sum(map(len, load_splits(tmp_path / "out").values())) == 18
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert len(report["skipped_files"]) == 2
