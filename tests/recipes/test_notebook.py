"""The notebook for Google Colab, executed: its own cells, with other things where Colab has its own."""

import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import zipfile

import nbformat
import pytest
from conftest import PROJECT, RECIPES
from nbclient import NotebookClient
from support import programs
from support.door import with_started
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


def with_values(notebook, **values):
    """The notebook with other settings."""
    for cell in notebook.cells:
        for name, value in values.items():
            cell.source = re.sub(rf'^{name} = (".*?"|False)', f"{name} = {value!r}", cell.source, flags=re.MULTILINE)
    return notebook


def run_all(notebook, environment, work):
    """Run all cells → the last line of each cell's code, or its last command, and what it wrote."""
    resources = {"metadata": {"path": str(work)}}
    NotebookClient(notebook, timeout=300, resources=resources, kernel_name="python3").execute(env=environment)
    told = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            written = "".join(output.get("text", "") for output in cell.outputs)
            assert "error:" not in written.replace("every error: ", ""), written
            assert "Traceback" not in written, written
            told[cell.id] = written
    return told


@pytest.mark.slow
def test_run_all_goes_from_a_zip_to_transcripts_then_skips_all_then_goes_a_second_round(
    colab, origin, demo_folder, random_base, tmp_path
):
    drive, work, elsewhere = tmp_path / "drive", tmp_path / "work", tmp_path / "elsewhere"
    corpus = drive / "MyDrive" / "corpus"
    whole = sorted((demo_folder / "corpus").rglob("*.eaf"))
    shutil.copytree(demo_folder / "corpus", tmp_path / "begun", ignore=lambda *_: [f"{whole[-1].stem}.eaf"])
    shutil.make_archive(str(corpus), "zip", tmp_path / "begun")
    shutil.copytree(demo_folder / "new_recordings", drive / "MyDrive" / "new_recordings")
    work.mkdir()
    elsewhere.mkdir()

    def notebook(**values):
        found = nbformat.read(RECIPES / "colab.ipynb", as_version=4)
        for cell in found.cells:
            cell.source = cell.source.replace("/content/drive", str(drive))
            cell.source = re.sub(r'getpass\(".*"\)', '"hf_ana_write"', cell.source)  # which a person types in
        return with_values(found, NAME="ears", TIME_BUDGET="12s", PROJECT=str(origin), WITHOUT_GPU=True, **values)

    programs.open_door()
    with running_hub(tmp_path / "blobs") as hub:
        base = {path.name: path.read_bytes() for path in random_base.iterdir()}
        hub.add("model", "utter-project/mHuBERT-147", False, base)
        environment = hub.environment(tmp_path / "home") | {"PYTHONPATH": with_started(f"{work / 'u2u-hf'}:{colab[0]}")}
        environment["PATH"] = f"{colab[1]}:{environment['PATH']}"
        # Run all, and Run all once more, in the same kernel.
        twice, again = notebook(), notebook()
        middle = nbformat.v4.new_code_cell(f"import pathlib\npathlib.Path({str(tmp_path / 'between')!r}).touch()")
        for cell in again.cells:
            cell.id += "-again"
        twice.cells += [middle, *again.cells]
        told = run_all(twice, environment, work)
        between = (tmp_path / "between").stat().st_mtime
        repos = hub.repos
        assert {key: repo.private for key, repo in repos.items() if repo.id.startswith("ana/")} == {
            ("dataset", "ana/ears-dataset"): True,
            ("model", "ana/ears"): True,
        }
        pushed = repos["model", "ana/ears"].at("main")
        scores = drive / "MyDrive" / "scores" / "ears" / "evaluation.html"
        (transcript,) = (drive / "MyDrive" / "new_recordings" / "transcripts").glob("*.eaf")
        made = [path.stat().st_mtime for path in (scores, transcript)]
        assert max(made) < between
        # A second round, another day, on another computer: one more recording has its transcript.
        shutil.make_archive(str(corpus), "zip", demo_folder / "corpus")
        environment |= {
            "HF_HOME": str(tmp_path / "home2"),
            "PYTHONPATH": with_started(f"{elsewhere / 'u2u-hf'}:{colab[0]}"),
        }
        round_2 = run_all(notebook(AGAIN=True), environment, elsewhere)
    assert f"pip install -q -e ., in {work / 'u2u-hf'}" in told["cell-03"]
    assert "no GPU: training takes days (torch " in told["cell-gpu"]
    assert "corpus.zip: is a corpus" in told["cell-data-code"]
    assert {"model.safetensors", "README.md", "training_curves.png", "onnx/model.onnx"} <= pushed.files.keys()
    assert not any("checkpoint" in name for name in pushed.files)
    pictures = [output for cell in twice.cells for output in cell.get("outputs", ()) if "data" in output]
    assert ["image/png" in picture["data"] for picture in pictures] == [True, True]
    assert {tier.name for tier in read_eaf(transcript).tiers} >= {"channel 1", "channel 2"}
    assert told["cell-03-again"] == told["cell-08-again"] == told["cell-10-again"] == ""
    assert "ana/ears-dataset: is prepared, on the Hub" in told["cell-data-code-again"]
    assert "ana/ears: is trained, on the Hub" in told["cell-12-again"]
    assert "are the scores of this model" in told["cell-15-again"]
    assert "ana/ears: is exported, on the Hub" in told["export-code-again"]
    assert "corpus.zip: is a corpus" in round_2["cell-data-code"]
    for cell in ("cell-10", "cell-12"):  # prepared and trained anew, not taken from the Hub
        assert "on the Hub: http://127" in round_2[cell]


def run_cells(ids, colab, work, environment=None, **values):
    """Run some of the cells, with other settings → the cells, with what each wrote."""
    work.mkdir(exist_ok=True)
    notebook = with_values(nbformat.read(RECIPES / "colab.ipynb", as_version=4), **values)
    by_id = {cell.id: cell for cell in notebook.cells}
    notebook.cells = [nbformat.v4.new_code_cell(by_id[name].source) if isinstance(name, str) else name for name in ids]
    environment = {**os.environ, "PATH": f"{colab[1]}:{os.environ['PATH']}", **(environment or {})}
    resources = {"metadata": {"path": str(work)}}
    client = NotebookClient(notebook, timeout=60, resources=resources, kernel_name="python3", allow_errors=True)
    return client.execute(env=environment).cells


def written(cell):
    return "".join(output.get("text", "") for output in cell.outputs)


def stopped(cell):
    """The one line that a cell ends with that cannot go on."""
    (said,) = (output.traceback for output in cell.outputs if output.output_type == "error")
    (line,) = said
    return line


def test_setting_up_twice_does_not_nest_the_project_nor_install_again(colab, origin, tmp_path):
    work = tmp_path / "work"
    _, first, again = run_cells(["cell-01", "cell-03", "cell-03"], colab, work, PROJECT=str(origin))
    assert f"pip install -q -e ., in {work / 'u2u-hf'}" in written(first)
    assert not again.outputs
    assert not (work / "u2u-hf" / "u2u-hf").exists()


def test_the_project_is_where_the_notebook_was_opened_from(colab, origin, tmp_path):
    """Colab's list of sessions, as it answers for a notebook that was opened from GitHub."""
    path = "fileId=https%3A%2F%2Fgithub.com%2Fana%2Fu2u-hf%2Fblob%2Fmain%2Frecipes%2Fcolab.ipynb"

    class Sessions(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/api/sessions" else 404)
            self.end_headers()
            self.wfile.write(json.dumps([{"name": "colab.ipynb", "path": path}]).encode())

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Sessions) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {
            "COLAB_JUPYTER_IP": "127.0.0.1",
            "KMP_TARGET_PORT": str(server.server_port),
            # In place of GitHub.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{origin}.insteadOf",
            "GIT_CONFIG_VALUE_0": "https://github.com/ana/u2u-hf",
        }
        _, set_up = run_cells(["cell-01", "cell-03"], colab, tmp_path / "work", environment)
        server.shutdown()
    assert f"pip install -q -e ., in {tmp_path / 'work' / 'u2u-hf'}" in written(set_up)
    assert (tmp_path / "work" / "u2u-hf" / "recipes" / "train.py").is_file()


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({}, "error: PROJECT: empty: fill it in in the settings above, run that cell, and then this one"),
        (
            {"PROJECT": "/no/such/place"},
            "error: /no/such/place could not be cloned: correct PROJECT above, and run that cell again",
        ),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_said_in_one_line(colab, tmp_path, values, error):
    _, set_up = run_cells(["cell-01", "cell-03"], colab, tmp_path / "work", **values)
    assert stopped(set_up) == error


TORCH = """__version__ = "2.14.1+cu130"
class cuda:
    is_available = lambda: {}
    get_device_name = lambda: "Tesla T4"
"""


@pytest.mark.parametrize(
    ("driver", "torch", "torchaudio", "told"),
    [
        (True, TORCH.format(True), "__version__ = '2.11.0'", "Tesla T4 (torch 2.14.1+cu130, torchaudio 2.11.0)\n"),
        (
            False,
            TORCH.format(False),
            "__version__ = '2.11.0'",
            "error: there is no GPU: Runtime → Change runtime type",
        ),
        (
            True,
            TORCH.format(False),
            "__version__ = '2.11.0'",
            "error: the GPU's driver is too old for torch 2.14.1+cu130: run  !pip install -q torch==2.14.1 "
            "torchaudio==2.11.0 --index-url https://download.pytorch.org/whl/cu126  in a cell",
        ),
        (
            True,
            TORCH.format(True),
            "raise RuntimeError('another CUDA')",
            "error: torch and torchaudio do not work together (RuntimeError: another CUDA): Runtime → Disconnect and",
        ),
    ],
)
def test_the_check_of_the_gpu_says_what_to_do(colab, tmp_path, driver, torch, torchaudio, told):
    modules, work = tmp_path / "fake", tmp_path / "work"
    modules.mkdir()
    (modules / "torch.py").write_text(torch)
    (modules / "torchaudio.py").write_text(torchaudio)
    if driver:
        (colab[1] / "nvidia-smi").write_text("#!/bin/sh\necho GPU 0\n")
        (colab[1] / "nvidia-smi").chmod(0o755)
    (work / "recipes").mkdir(parents=True)  # set up already
    (work / "recipes" / "train.py").touch()
    (tmp_path / "u2u-hf-is-installed").touch()
    _, _, check = run_cells(["cell-01", "cell-03", "cell-gpu"], colab, work, {"PYTHONPATH": str(modules)})
    said = stopped(check) if any(output.output_type == "error" for output in check.outputs) else written(check)
    assert said.startswith(told)


@pytest.mark.parametrize("put", ["browser", "folder", "nothing"])
def test_the_data_is_a_dataset_of_the_browser_page_or_a_folder_or_missing(colab, tmp_path, put):
    drive = tmp_path / "drive"
    drive.mkdir()
    if put == "folder":
        (drive / "corpus").mkdir()
    if put == "browser":
        with zipfile.ZipFile(drive / "corpus.zip", "w") as file:
            file.writestr("data/train/metadata.jsonl", "{}")
    (tmp_path / "work" / "recipes").mkdir(parents=True)
    (tmp_path / "work" / "recipes" / "train.py").touch()
    (tmp_path / "u2u-hf-is-installed").touch()
    before = nbformat.v4.new_code_cell(
        f"import shutil\nDRIVE, MODEL, pushed = {str(drive)!r}, 'ana/ears', lambda repo: ''"
    )
    cells = run_cells(["cell-01", "cell-03", before, "cell-data-code"], colab, tmp_path / "work")
    if put == "browser":
        assert written(cells[-1]) == f"{drive / 'corpus.zip'}: is a dataset that was prepared in the browser\n"
    elif put == "folder":
        assert written(cells[-1]) == f"{drive / 'corpus'}: is a corpus\n"
    else:
        assert stopped(cells[-1]).startswith("error: there is no corpus.zip and no folder corpus on your Drive: ")
