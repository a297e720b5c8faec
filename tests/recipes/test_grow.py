"""grow.py's command line; its rounds are tested in tests/project."""

import runpy
import sys

import pytest
from conftest import RECIPES

from u2u_hf.project.folder import Project


@pytest.fixture
def grow(monkeypatch, capsys):
    def grow(*words):
        monkeypatch.setattr(sys, "argv", ["grow.py", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(RECIPES / "grow.py"), run_name="__main__")
        return ended.value.code, *capsys.readouterr()

    return grow


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "is no project yet: give --corpus with the folder of your annotation files"),
        (("--time_budget", "soon"), "--time_budget soon: write it as 2h30m, 45m or 90s"),
        (("--corpus", "gone"), "there is no such folder: --corpus names the folder with annotation files and audio"),
    ],
)
def test_what_is_missing_is_told(grow, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, _, _ = grow("--project", "mine", *words)
    assert code.startswith("error: ")
    assert message in code
    assert len(code) < 200


def test_paths_are_given_once(grow, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elan").mkdir()
    code, _, _ = grow("--project", "mine", "--corpus", "elan", "--recordings", "new")
    assert "elan: no annotation file" in code
    project = Project(tmp_path / "mine")
    assert (project.corpus, project.recordings) == (tmp_path / "elan", [tmp_path / "new"])
    code, _, _ = grow("--project", "mine", "--corpus", "other")
    assert "project.yaml: names corpus and recordings already: change them there" in code
