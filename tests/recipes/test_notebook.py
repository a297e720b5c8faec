"""The notebook for Google Colab, executed: its own cells, with other things where Colab has its own."""

import os
import re
import shutil
import subprocess

import nbformat
import pytest
from conftest import PROJECT, RECIPES
from nbclient import NotebookClient
from support.hub_server import running_hub

from u2u_hf.formats.eaf import read_eaf


@pytest.fixture
def colab(tmp_path):
    """What a program there finds: a module for its Drive, and a pip that has nothing left to do. → paths to both."""
    module, program = tmp_path / "modules" / "google" / "colab", tmp_path / "programs" / "pip"
    module.mkdir(parents=True)
    (module / "drive.py").write_text("def mount(path):\n    print('mounted', path)\n")
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "pip $*, in $PWD"\n')
    program.chmod(0o755)
    return module.parents[1], program.parent


@pytest.fixture
def origin(tmp_path):
    """A git repository of this project as it stands."""
    folder = tmp_path / "origin"
    for name in ("recipes", "u2u_hf"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "as it stands"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    return folder


@pytest.mark.slow
def test_from_a_corpus_on_drive_to_transcripts_on_drive(colab, origin, demo_folder, random_base, tmp_path):
    drive, work = tmp_path / "drive", tmp_path / "work"
    shutil.copytree(demo_folder / "corpus", drive / "MyDrive" / "corpus")
    shutil.copytree(demo_folder / "new_recordings", drive / "MyDrive" / "new_recordings")
    work.mkdir()
    notebook = nbformat.read(RECIPES / "colab.ipynb", as_version=4)
    values = {"OWNER": "ana", "NAME": "ears", "PROJECT": str(origin), "TIME_BUDGET": "12s"}
    for cell in notebook.cells:
        for name, value in values.items():
            cell.source = re.sub(rf'^{name} = ".*?"', f'{name} = "{value}"', cell.source, flags=re.MULTILINE)
        cell.source = cell.source.replace("/content/drive", str(drive))
        cell.source = cell.source.replace("login()", 'login(token="hf_ana_write")')  # which a person types in
    with running_hub(tmp_path / "blobs") as hub:
        base = {path.name: path.read_bytes() for path in random_base.iterdir()}
        hub.add("model", "utter-project/mHuBERT-147", False, base)
        environment = hub.environment(tmp_path / "home")
        environment["PATH"] = f"{colab[1]}:{environment['PATH']}"
        environment["PYTHONPATH"] = f"{work / 'u2u-hf'}:{colab[0]}"
        resources = {"metadata": {"path": str(work)}}
        NotebookClient(notebook, timeout=300, resources=resources, kernel_name="python3").execute(env=environment)
        told = {}  # the command of a cell → what it wrote
        for cell in notebook.cells:
            if cell.cell_type == "code":
                written = "".join(output.get("text", "") for output in cell.outputs)
                assert "error:" not in written.replace("every error: scores/evaluation.html", ""), written
                assert "Traceback" not in written, written
                told[cell.source.split("\n")[-1]] = written
        repos = hub.repos
        assert {key: repo.private for key, repo in repos.items() if repo.id.startswith("ana/")} == {
            ("dataset", "ana/ears-dataset"): True,
            ("model", "ana/ears"): True,
        }
        pushed = set(repos["model", "ana/ears"].at("main").files)
    assert f"pip install -q -e ., in {work / 'u2u-hf'}" in told["!pip install -q -e ."]
    assert {"model.safetensors", "README.md", "training_curves.png", "onnx/model.onnx"} <= pushed
    assert not any("checkpoint" in name for name in pushed)
    (picture,) = (output for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output)
    assert "image/png" in picture["data"]
    assert (work / "u2u-hf" / "scores" / "evaluation.html").is_file()
    (transcript,) = (drive / "MyDrive" / "new_recordings" / "transcripts").glob("*.eaf")
    assert {tier.name for tier in read_eaf(transcript).tiers} >= {"channel 1", "channel 2"}


def set_up_twice(colab, work, **values):
    """Run the settings, and the cell that sets up, twice → the three cells, with what each wrote."""
    work.mkdir()
    notebook = nbformat.read(RECIPES / "colab.ipynb", as_version=4)
    settings, set_up = (cell for cell in notebook.cells if cell.id in ("cell-01", "cell-03"))
    for name, value in values.items():
        settings.source = re.sub(rf'^{name} = ".*?"', f'{name} = "{value}"', settings.source, flags=re.MULTILINE)
    notebook.cells = [settings, set_up, nbformat.v4.new_code_cell(set_up.source)]
    environment = {**os.environ, "PATH": f"{colab[1]}:{os.environ['PATH']}"}
    resources = {"metadata": {"path": str(work)}}
    client = NotebookClient(notebook, timeout=60, resources=resources, kernel_name="python3", allow_errors=True)
    return client.execute(env=environment).cells


def test_setting_up_twice_does_not_nest_the_project(colab, origin, tmp_path):
    work = tmp_path / "work"
    *_, again = set_up_twice(colab, work, OWNER="ana", PROJECT=str(origin))
    assert f"pip install -q -e ., in {work / 'u2u-hf'}" in "".join(output.text for output in again.outputs)
    assert not (work / "u2u-hf" / "u2u-hf").exists()


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({}, "error: OWNER and PROJECT: empty: fill in your settings above, and run that cell again"),
        ({"OWNER": "ana"}, "error: PROJECT: empty: fill in your settings above, and run that cell again"),
        (
            {"OWNER": "ana", "PROJECT": "/no/such/place"},
            "error: /no/such/place could not be cloned: correct PROJECT above, and run that cell again",
        ),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_said_in_one_line(colab, tmp_path, values, error):
    _, set_up, _ = set_up_twice(colab, tmp_path / "work", **values)
    (said,) = (output.traceback for output in set_up.outputs if output.output_type == "error")
    assert said == [error]
