"""compare.py as a user runs it: a model that fails, one that is trained, and the same again with another one."""

import json
import runpy
import shutil
import sys

import pytest
import yaml
from conftest import RECIPES
from support.html_pages import harmless

PLAIN = "--use_cpu --max_steps 3 --logging_steps 1 --learning_rate 1e-3".split()


@pytest.fixture
def compare(demo_dataset, monkeypatch, capsys):
    """Run compare.py in this process; what it starts has processes of its own → exit status, stdout, stderr."""

    def compare(output_dir, models, time_budget, *arguments):
        places = ["--dataset", demo_dataset, "--output_dir", output_dir, "--time_budget", time_budget]
        words = ["compare.py", "--models", *models, *places, *PLAIN, *arguments]
        monkeypatch.setattr(sys, "argv", list(map(str, words)))
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(RECIPES / "compare.py"), run_name="__main__")
        return ended.value.code, *capsys.readouterr()

    return compare


@pytest.fixture
def rows(tmp_path):
    return lambda: json.loads((tmp_path / "out" / "compare.json").read_text(encoding="utf-8"))


def test_a_comparison_names_what_failed_grows_and_is_not_done_twice(
    compare, rows, random_base, demo_dataset, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(random_base, "one")
    (tmp_path / "empty").mkdir()
    code, stdout, _ = compare("out", ["one", "empty"], "20m")
    assert code == 3  # not all that was asked for
    assert "2 models, 10m of training each; 2 still to be trained: 20m" in stdout
    assert "! empty: holds no model (config.json)" in stdout
    assert "Only one was trained" in stdout
    one, empty = rows()
    assert (one["model"], one["steps"], one["folder"]) == ("one", 3, "one")
    assert one["passes"] > 0
    assert one["peak_bytes"] > 2**20
    assert one["seconds"] > 0
    assert empty["problem"].startswith("empty: holds no model")
    settings = yaml.safe_load((tmp_path / "out" / "one" / "train.yaml").read_text(encoding="utf-8"))
    assert (settings["time_budget"], settings["max_steps"], settings["learning_rate"]) == ("10m", 3, 1e-3)
    metrics = json.loads((tmp_path / "out" / "one_scores" / "metrics.json").read_text(encoding="utf-8"))
    assert {key: one[key] for key in ("cer", "wer")} == {key: metrics[key] for key in ("cer", "wer")}
    harmless((tmp_path / "out" / "compare.html").read_text(encoding="utf-8"))

    # A second model, as if it had been trained and scored before: nothing is left to do.
    shutil.copytree("one", "two")
    for name in ("one", "one_scores"):
        shutil.copytree(tmp_path / "out" / name, tmp_path / "out" / name.replace("one", "two"))
    written = (tmp_path / "out" / "one" / "train.yaml").stat().st_mtime_ns
    code, stdout, _ = compare("out", ["one", "two"], "20m")
    assert code == 0
    assert stdout.count("was done already") == 2
    assert (tmp_path / "out" / "one" / "train.yaml").stat().st_mtime_ns == written
    assert [(row["model"], row["difference"]) for row in rows()] == [("one", None), ("two", 0)]
    assert f"recipes/train.py --dataset {demo_dataset} --model one" in stdout

    before = rows()
    for models, time_budget, more, message in (
        (["one", "two"], "30m", [], "for 10m each: for 2 of them give --time_budget 20m"),
        (["one", "two", "three"], "20m", [], "for 3 of them give --time_budget 30m"),
        (["one"], "10m", ["--batch_seconds", "40"], "with other settings (--max_steps 3 "),
    ):
        code, _, _ = compare("out", models, time_budget, *more)
        assert code.startswith("error: out: its models were trained ")
        assert message in code
    assert rows() == before
