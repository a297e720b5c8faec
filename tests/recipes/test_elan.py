"""recipes/elan.py as a user runs it, on a computer with two ELANs."""

import os
import shutil
from pathlib import Path

import pytest
from support.hub_server import running_hub

from u2u_hf.integrations.elan import extension as elan_extension
from u2u_hf.integrations.elan import folders as elan_folders
from u2u_hf.integrations.elan import install as elan_install
from u2u_hf.records import U2UError

pytest_plugins = ["support.browser_fixtures", "support.elan_host"]


@pytest.fixture
def home(tmp_path):
    """A user's folder with two ELANs."""
    for app in ("ELAN_6-9/app", "Applications/ELAN_7-0/lib/app"):
        (tmp_path / "home" / app / "extensions").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def elan(recipe, home):
    def run(*words, **environment):
        return recipe("elan.py", *words, env=os.environ | {"HOME": str(home)} | environment)

    return run


def extensions(home):
    return sorted(path.parent for path in home.rglob(elan_extension.MARKER))


def test_a_model_is_installed_listed_and_uninstalled_in_every_elan(elan, home, exported, tmp_path):
    model = tmp_path / "Ñuu Savi model"
    shutil.copytree(exported, model)
    assert elan("list").stdout.count(": no recogniser of u2u-hf") == 2
    result = elan("install", "--model", model)
    assert result.returncode == 0, result.stderr
    assert len(extensions(home)) == 2
    for folder in extensions(home):
        assert f"installed: {folder}" in result.stdout
        assert f"--model '{model}'" in (folder / "run.sh").read_text(encoding="utf-8")
    assert "Restart ELAN, open a transcript, and choose the tab Recognizers" in result.stdout
    assert "  Transcribe: Ñuu Savi model (u2u-hf)" in result.stdout
    listed = elan("list").stdout
    assert listed.count(f"  Ñuu Savi model: {model}\n") == 2
    model.rename(tmp_path / "moved")
    assert elan("list").stdout.count("its model is not there any more: run python recipes/elan.py install") == 2
    result = elan("uninstall", "--model", model)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("uninstalled: ") == 2
    assert [path.name for path in home.rglob("extensions/*")] == []


def test_an_upgraded_elan_gets_it_by_the_same_command(elan, home, exported):
    elan("install", "--model", exported)
    new = home / "ELAN_7-1" / "lib" / "app" / "extensions"
    new.mkdir(parents=True)
    assert elan("install", "--model", exported).returncode == 0
    assert len(extensions(home)) == 3
    assert [path.name for path in new.iterdir()] == [f"u2u-hf_{exported.name}"]


def test_one_elan_can_be_named(elan, home, exported):
    only = home / "ELAN_6-9"
    assert elan("install", "--model", exported, "--elan", only).returncode == 0
    assert [path.parent for path in extensions(home)] == [only / "app" / "extensions"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["install"], "--model: name the model to install: a folder, or OWNER/NAME on the Hub"),
        (["install", "--model", "./gone"], "gone: there is no such model folder"),
        (["install", "--model", "{random}"], "has no ONNX export: run recipes/export.py --model"),
        (["uninstall", "--model", "ana/my_model"], "ana/my_model: is not installed in ELAN"),
        (["uninstall"], "u2u-hf: is not installed in ELAN (python recipes/elan.py list shows what is)"),
        (["remove"], "remove: give one of install, uninstall, list"),
        (["install", "list"], "install list: give one of install, uninstall, list"),
        (["list", "--elan", "/gone"], "/gone: there is no such folder: --elan names ELAN's folder `extensions`"),
    ],
)
def test_a_mistake_is_one_clear_line(elan, home, random_model, words, message):
    result = elan(*(word.format(random=random_model) for word in words))
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert extensions(home) == []


def test_an_elan_that_may_not_be_written_to_is_told_and_the_other_is_done(home, exported, monkeypatch):
    locked = home / "ELAN_6-9" / "app" / "extensions"
    monkeypatch.setattr(elan_folders.Path, "home", lambda: home)
    mkdir = Path.mkdir

    def refuse(path, *arguments, **settings):
        if locked in path.parents:
            raise PermissionError(13, "Permission denied", str(path))
        mkdir(path, *arguments, **settings)

    monkeypatch.setattr(Path, "mkdir", refuse)
    outcome = elan_install.install(str(exported), "")
    assert not outcome.is_complete
    (refused,) = [line for line in outcome.lines if line.startswith("!")]
    assert refused.startswith(f"! {locked}: you may not write there: ")
    assert "sudo" in refused
    assert len(extensions(home)) == 1
    assert any(line.startswith("Restart ELAN") for line in outcome.lines)
    monkeypatch.setattr(Path, "unlink", lambda *a, **s: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    assert not elan_install.uninstall("", "").is_complete


def test_a_model_of_an_older_version_is_marked(home, exported, monkeypatch):
    monkeypatch.setattr(elan_folders.Path, "home", lambda: home)
    monkeypatch.setattr(elan_extension, "asdict", lambda e: {**vars(e), "version": "0.0.1"})
    elan_install.install(str(exported), "")
    assert sum("(of u2u-hf 0.0.1: run python recipes" in line for line in elan_install.show("", "").lines) == 2


def online(hub, folder, token=None):
    own = {name: value for name, value in hub.environment(folder / "hf", token).items() if name.startswith("HF_")}
    return own | {"HF_HUB_OFFLINE": "0"}


def test_a_private_model_comes_with_the_login_and_start_needs_no_network(
    elan, home, exported, new_elan, new_recording, tmp_path
):
    files = {path.relative_to(exported).as_posix(): path.read_bytes() for path in exported.rglob("*") if path.is_file()}
    with running_hub(tmp_path / "hub") as hub:
        hub.add("model", "ana/my_model", private=True, files=files)
        refused = elan("install", "--model", "ana/my_model", **online(hub, tmp_path))
        assert refused.returncode == 1
        assert refused.stderr.startswith("error: ana/my_model: is not on the Hub, or is private")
        assert extensions(home) == []
        result = elan("install", "--model", "ana/my_model", **online(hub, tmp_path, "hf_ana_read"))
        assert result.returncode == 0, result.stderr
    folder = extensions(home)[0]
    assert folder.name == "u2u-hf_my_model"
    assert str(tmp_path / "hf") in (folder / "run.sh").read_text(encoding="utf-8")
    host = new_elan()
    host.extensions = folder.parent
    recording = tmp_path / "a.wav"
    shutil.copy(new_recording, recording)
    run = host.run("Transcribe: my_model (u2u-hf)", source=recording)
    assert run.result == "done", run.lines
    assert run.tiers["channel_1"]


def test_no_model_is_no_source():
    with pytest.raises(U2UError, match="--model: name the model"):
        elan_install.install("", "")
