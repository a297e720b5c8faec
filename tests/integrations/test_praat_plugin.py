"""Praat's plug-ins as files: where they are written, what is removed, what is left alone."""

import os
import stat

import pytest

from u2u_hf.integrations.praat.plugin import install, installed, preference_folders, uninstall
from u2u_hf.records import U2UError


@pytest.fixture
def preferences(tmp_path):
    """A preferences folder with the files and the plug-in of a person."""
    (tmp_path / "plugin_theirs").mkdir()
    (tmp_path / "plugin_theirs" / "setup.praat").write_text("Play\n")
    (tmp_path / "plugin_u2u_theirs").mkdir()
    (tmp_path / "plugin_u2u_theirs" / "setup.praat").write_text("Play\n")
    (tmp_path / "prefs5").write_text("FontSize: 12\n")
    return tmp_path


@pytest.fixture
def model(tmp_path_factory):
    return tmp_path_factory.mktemp("models") / "model"


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def test_removal_leaves_what_was_there(preferences, model):
    before = contents(preferences)
    plugin = install(preferences, str(model), model)
    assert list(installed(preferences)) == [plugin]
    assert contents(preferences).keys() - before.keys() == {
        path.relative_to(preferences) for path in (plugin, *plugin.rglob("*"))
    }
    (plugin / "work" / "left.wav").touch()
    uninstall(plugin)
    assert contents(preferences) == before


def test_a_persons_files_in_the_plugin_stay(preferences, model):
    plugin = install(preferences, str(model), model)
    (plugin / "notes.txt").write_text("mine")
    uninstall(plugin)
    assert contents(plugin) == {(plugin / "notes.txt").relative_to(plugin): b"mine"}
    assert installed(preferences) == {}


def test_installed_again_it_is_one_plugin(preferences, model, monkeypatch):
    first = install(preferences, str(model), model)
    (first / "align.praat").unlink()
    monkeypatch.setattr("sys.executable", "/new/python")
    assert install(preferences, str(model), model / "snapshot") == first
    [plugin] = installed(preferences).values()
    assert (plugin.name, plugin.folder, plugin.python) == ("model", str(model / "snapshot"), "/new/python")
    assert 'python$ = "/new/python"' in (first / "align.praat").read_text()


def test_two_models_of_one_name_have_two_names_in_the_menu(preferences, tmp_path_factory):
    models = [tmp_path_factory.mktemp(f"of {person}") / "ma\u00edz" for person in ("ana", "ben")]
    for model in models:
        model.mkdir()
    plugins = [install(preferences, str(model), model) for model in models]
    install(preferences, str(models[0]), models[0])  # keeps its name
    assert [installed(preferences)[plugin].name for plugin in plugins] == ["ma\u00edz", "ma\u00edz 2"]
    assert "Transcribe (ma\u00edz 2)..." in (plugins[1] / "setup.praat").read_text(encoding="utf-8")
    assert all(plugin.name.isascii() for plugin in plugins)


def test_a_hub_model_is_named_by_its_name(preferences, model):
    plugin = install(preferences, "ana/ears", model / "0123abcd")
    assert installed(preferences)[plugin].name == "ears"
    assert installed(preferences)[plugin].model == "ana/ears"


def test_recordings_are_for_nobody_else(preferences, model):
    plugin = install(preferences, str(model), model)
    assert stat.S_IMODE((plugin / "work").stat().st_mode) == 0o700


def test_a_folder_of_somebody_else_is_not_written_to(preferences, model):
    plugin = install(preferences, str(model), model)
    (plugin / "u2u-hf.json").write_text("{}")
    before = contents(preferences)
    with pytest.raises(U2UError, match=r"was not made by praat\.py"):
        install(preferences, str(model), model)
    assert contents(preferences) == before


def test_where_nothing_can_be_written_it_says_so(tmp_path, model):
    (tmp_path / "file").touch()
    with pytest.raises(U2UError, match=r"cannot be made \(.*\): give Praat's preferences with --praat"):
        install(tmp_path / "file", str(model), model)


@pytest.mark.parametrize(
    ("platform", "folders"),
    [
        ("linux", (".config/praat", ".praat-dir")),
        ("darwin", ("Library/Application Support/Praat", "Library/Preferences/Praat Prefs")),
        ("win32", ("AppData/Roaming/Praat", "Praat")),
    ],
)
def test_praat_6_and_7_are_found_on_each_system(platform, folders, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    for name in ("APPDATA", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(U2UError, match="start Praat once"):
        preference_folders()
    for count, folder in enumerate(reversed(folders), 1):
        (tmp_path / folder).mkdir(parents=True)
        assert preference_folders() == [tmp_path / name for name in folders[-count:]]


def test_the_systems_own_folders_for_settings_are_used(tmp_path, monkeypatch):
    for platform, variable, name in (("linux", "XDG_CONFIG_HOME", "praat"), ("win32", "APPDATA", "Praat")):
        monkeypatch.setattr("sys.platform", platform)
        monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path / "nowhere")
        monkeypatch.setenv(variable, str(tmp_path / variable))
        (tmp_path / variable / name).mkdir(parents=True)
        assert preference_folders() == [tmp_path / variable / name]


def test_a_given_folder_must_exist(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("prefs")
    assert preference_folders("prefs") == [tmp_path / "prefs"]
    with pytest.raises(U2UError, match="no such folder"):
        preference_folders("elsewhere")


def test_the_recipe_lists_and_removes(recipe, preferences, model):
    def done(*words):
        result = recipe("praat.py", *words, "--praat", preferences)
        return result.returncode, result.stdout + result.stderr

    model.mkdir()
    ours = install(preferences, str(model), model), install(preferences, "ana/ears", model / "gone")
    before = contents(preferences)
    status, listed = done("list")
    assert status == 0
    assert f"model: {ours[0]}\n  {model}\n" in listed
    assert f"ears: {ours[1]}\n  {model / 'gone'} is not there any more: install again\n" in listed
    assert done("uninstall", "--model", "elsewhere") == (0, f"no plug-in of elsewhere in {preferences}\n")
    assert contents(preferences) == before
    assert done("uninstall", "--model", str(model)) == (0, f"removed: {ours[0]}\n")
    assert list(installed(preferences)) == [ours[1]]
    assert done("uninstall") == (0, f"removed: {ours[1]}\n")
    assert (preferences / "plugin_u2u_theirs" / "setup.praat").exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["remove"], "error: remove: give one of install, uninstall, list\n"),
        (["install"], "error: install needs --model: a folder, or OWNER/NAME on the Hub\n"),
    ],
)
def test_the_recipe_refuses_what_it_cannot_do(recipe, words, problem):
    result = recipe("praat.py", *words)
    assert (result.returncode, result.stderr) == (1, problem)
