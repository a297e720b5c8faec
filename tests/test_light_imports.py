"""Transcription from an export imports none of the large libraries, which take seconds, and works without them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROJECT, RECIPES

from u2u_hf.integrations.tasks import Request, Task, run
from u2u_hf.publishing.export import export

FOR_TRAINING = ["torch", "torchaudio", "datasets", "accelerate", "silero_vad", "pandas", "pyarrow"]
OF_THE_HUB = ["transformers", "huggingface_hub", "tokenizers"]
TASK = """
import json, sys
from u2u_hf.integrations.tasks import Request, Task, run
transcript = run(Request(Task.TRANSCRIBE, *sys.argv[1:]))
print(json.dumps([*([s.channel, s.start_ms, s.end_ms, s.text] for s in transcript.segments)]))
"""
RECIPE = "import runpy, sys; sys.argv = sys.argv[1:]\ntry: runpy.run_path(sys.argv[0], run_name='__main__')\n"
RECIPE += "except SystemExit as end: assert not end.code, end.code\n"
LOADED = "\nimport sys; print(json.dumps(sorted(sys.modules)))"


@pytest.fixture(scope="module")
def exported_model(random_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    export(str(random_model), folder)
    return folder


def python(code, *arguments, without=()):
    """Run code in a Python of its own that lacks some packages → what it printed."""
    lacking = f"import json, sys; sys.modules.update(dict.fromkeys({[*without]}))\n"
    command = [sys.executable, "-c", lacking + code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded(printed):
    return {name.partition(".")[0] for name in json.loads(printed.splitlines()[-1])}


def test_a_task_needs_no_large_library(exported_model, new_recording):
    printed = python(TASK + LOADED, new_recording, exported_model)
    assert not loaded(printed) & {*FOR_TRAINING, *OF_THE_HUB}
    assert "onnxruntime" in loaded(printed)


def test_the_recipe_needs_no_library_of_training(exported_model, new_recording, tmp_path):
    arguments = ["--model", exported_model, "--output_dir", tmp_path / "out", new_recording]
    printed = python(RECIPE + LOADED, RECIPES / "transcribe.py", *arguments)
    assert not loaded(printed) & {*FOR_TRAINING, "tokenizers"}
    assert (tmp_path / "out" / f"{new_recording.stem}.eaf").is_file()


def test_without_the_libraries_of_training_the_same_is_heard(exported_model, new_recording, tmp_path):
    without = [name for name in FOR_TRAINING if name != "silero_vad"]  # whose file is used
    found = json.loads(python(TASK, new_recording, exported_model, without=[*without, *OF_THE_HUB]))
    expected = run(Request(Task.TRANSCRIBE, str(new_recording), str(exported_model))).segments
    assert found == [[s.channel, s.start_ms, s.end_ms, s.text] for s in expected]
    arguments = ["--model", exported_model, "--output_dir", tmp_path / "out", "--formats", "json", new_recording]
    python(RECIPE, RECIPES / "transcribe.py", *arguments, without=without)
    written = json.loads(Path(tmp_path / "out" / f"{new_recording.stem}.json").read_text(encoding="utf-8"))
    assert [s["text"] for s in written["segments"]] == [text for *_, text in found]


def test_without_torch_what_needs_it_is_said(exported_model, random_model, new_recording):
    code = "from u2u_hf.recognition.recognizer import Recognizer; from u2u_hf.records import U2UError\n"
    code += "try: Recognizer(sys.argv[1])\nexcept U2UError as error: print(error)\n"
    said = python(code, random_model, without=["torch"])
    assert said == (
        f"{random_model}: has no export, and torch is not installed: "
        "export it with recipes/export.py on a computer with torch\n"
    )
    path = exported_model / "vocab.json"
    before = path.read_text(encoding="utf-8")
    path.write_text("null", encoding="utf-8")
    try:
        said = python(code, exported_model, without=["torch"])
    finally:
        path.write_text(before, encoding="utf-8")
    assert said.startswith(f"{exported_model}: its vocab.json is damaged: copy or download the model again, ")


def test_the_short_list_of_packages_has_the_versions_of_the_whole():
    whole = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
    text = (PROJECT / "recipes" / "transcribe_only.txt").read_text(encoding="utf-8")
    short = [line for line in text.splitlines() if not line.startswith("#")] + re.findall('"(silero-vad.*)"', text)
    assert len(short) > 10
    assert [line for line in short if f'"{line}"' not in whole] == []
