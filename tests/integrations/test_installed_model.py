"""The model of a menu: found, downloaded, or refused in one line."""

import json
import os
import shutil

import pytest
from support import programs
from support.hub_server import running_hub

from u2u_hf.integrations.installed_model import checked_model, require_there
from u2u_hf.publishing.export import export
from u2u_hf.records import U2UError


@pytest.fixture(scope="module")
def model(random_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "my mod\u00e8l"
    shutil.copytree(random_model, folder)
    export(str(folder), folder)
    return folder


def test_a_folder_is_found_from_anywhere(model, monkeypatch, tmp_path):
    (tmp_path / "newest").symlink_to(model, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    assert checked_model(os.path.relpath(model)) == model
    assert checked_model("newest") == tmp_path / "newest"


def test_a_model_without_export_is_sent_to_the_recipe(random_model):
    with pytest.raises(U2UError, match=r"has no ONNX export: run recipes/export\.py --model "):
        checked_model(str(random_model))


@pytest.mark.parametrize("name", ["vocab.json", "onnx/model_quantized.onnx"])
def test_a_damaged_model_is_refused_at_once(model, name, tmp_path):
    shutil.copytree(model, tmp_path / "m")
    (tmp_path / "m" / name).write_bytes(b"{")
    with pytest.raises(U2UError, match=str(tmp_path / "m")):
        checked_model(str(tmp_path / "m"))


def test_what_is_neither_folder_nor_hub_name_is_refused(tmp_path):
    with pytest.raises(U2UError, match="no such model folder"):
        checked_model(str(tmp_path / "nowhere"))


def test_a_model_that_was_moved_is_missed(model, tmp_path):
    require_there(model)
    with pytest.raises(U2UError, match="is not there any more: install the menu again"):
        require_there(tmp_path / "moved")


def test_a_private_model_is_downloaded_with_the_login(model, tmp_path):
    files = {str(p.relative_to(model)): p.read_bytes() for p in model.rglob("*") if p.is_file()}
    without = {name: content for name, content in files.items() if not name.startswith("onnx/")}
    code = """
import json, sys
from u2u_hf.integrations.installed_model import checked_model
from u2u_hf.records import U2UError
try:
    print(json.dumps(sorted(str(p.relative_to(f)) for f in [checked_model(sys.argv[1])] for p in f.rglob("*"))))
except U2UError as error:
    print(json.dumps(str(error)))
"""
    with running_hub(tmp_path / "blobs") as hub:
        hub.add("model", "ana/ears", private=True, files={**files, "checkpoint-5/optimizer.pt": b"x"})
        hub.add("model", "ana/raw", private=True, files=without)

        def asked(model, token=None):
            done = programs.run(["-c", code, model], env=hub.environment(tmp_path / f"home{token}", token))
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout.splitlines()[-1])

        found = asked("ana/ears", "hf_ana_read")
        assert "onnx/model_quantized.onnx" in found
        assert "checkpoint-5" not in found
        export_it = "run recipes/export.py --model ana/raw --output_dir my_export, then give --model my_export"
        assert asked("ana/raw", "hf_ana_read") == f"ana/raw: has no ONNX export: {export_it}"
        assert asked("ana/ears").startswith("ana/ears: is not on the Hub, or is private and nobody is logged in")
