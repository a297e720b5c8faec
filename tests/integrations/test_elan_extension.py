"""The folder that is put into ELAN, as ELAN finds it; and where it is put."""

import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from u2u_hf.formats.writers import UNSURE_BELOW
from u2u_hf.integrations.elan import extension as elan_extension
from u2u_hf.integrations.elan import folders as elan_folders
from u2u_hf.integrations.elan import parameters
from u2u_hf.integrations.elan.extension import install, installed, uninstall
from u2u_hf.integrations.elan.folders import chosen_extension_folders, find_extension_folders
from u2u_hf.integrations.elan.starters import batch_starter, shell_starter
from u2u_hf.integrations.menu_folder import MARKER
from u2u_hf.integrations.tasks import Task
from u2u_hf.records import U2UError
from u2u_hf.transcription.voice_detection import VadSettings

pytest_plugins = ["support.elan_host"]

MODEL = Path('/models/Ñuu Savi\'s "best" & <last> $HOME %PATH% 声')


@pytest.fixture
def elan(new_elan):
    return new_elan("ELAN 7.0 ñ")


def test_tasks_and_defaults_are_those_of_the_library():
    assert [item.task for item in parameters.MENU] == [task.value for task in Task]
    assert parameters.SENSITIVITY.default == 1 - VadSettings().threshold
    assert parameters.LONGEST.default * 1000 == VadSettings().max_segment_ms
    assert parameters.UNSURE.default == UNSURE_BELOW


def test_elan_offers_every_task_with_every_parameter(elan):
    extension = install(elan.extensions, MODEL.name, str(MODEL), MODEL)
    menu = elan.menu()
    assert set(menu.entries) == set(extension.entries)
    assert menu.refused == []
    for item in parameters.MENU:
        entry = next(entry for entry in menu.entries.values() if entry.id == f"u2u_hf_{item.task}")
        assert entry.info == f"{item.name}: {MODEL.name} (u2u-hf)"
        assert entry.folder == str(extension.folder)
        assert [p.id for p in entry.parameters] == [p.id for p in item.parameters]
        assert [p.info for p in entry.parameters] == [p.label for p in item.parameters]
        for found, ours in zip(entry.parameters, item.parameters, strict=True):
            if isinstance(ours, parameters.NumberParameter):
                assert (found.least, found.most, found.standard) == pytest.approx((ours.least, ours.most, ours.default))
            elif isinstance(ours, parameters.ChoiceParameter):
                assert found.choices == f"[{', '.join(ours.choices)}]"
                assert found.text == ours.default in ours.choices
            else:
                assert (found.kind, found.type) == ("input" if ours.is_input else "output", ours.type)
        # Only outputs of this type are loaded (AbstractRecognizerPanel.checkOutput).
        assert next(p.type for p in entry.parameters if p.kind == "output") == "tier"
        # It is an audio recogniser, and what ELAN's signal viewer shows is one of its inputs.
        assert entry.parameters[0].type == "audio"
        assert {p.level for p in entry.parameters} <= {"basic", "advanced"}
        # The button for advanced settings is only there beside basic ones (ParamPanelContainer).
        levels = {p.level for p in entry.parameters if p.kind in ("numparam", "textparam")}
        assert "advanced" not in levels or "basic" in levels


def test_the_folder_is_small_and_holds_nothing_that_elan_would_load(elan):
    extension = install(elan.extensions, MODEL.name, str(MODEL), MODEL)
    files = sorted(path.name for path in extension.folder.iterdir())
    assert files == sorted((*elan_extension._OWN, MARKER))
    assert sum((extension.folder / name).stat().st_size for name in files) < 30_000
    assert elan.menu().libraries == []
    assert extension.folder.name.isascii()
    assert " " not in extension.folder.name


def test_the_commands_are_words_without_quotes_and_start_files_that_are_there(elan):
    extension = install(elan.extensions, MODEL.name, str(MODEL), MODEL)
    for item in parameters.MENU:
        text = (extension.folder / f"{item.task}.cmdi").read_text(encoding="utf-8")
        for system, words in (
            ("runMac", ["./run.sh", item.task]),
            ("runLinux", ["./run.sh", item.task]),
            ("runWin", ["cmd.exe", "/d", "/c", ".\\run.bat", item.task]),
        ):
            assert text.split(f'{system}="')[1].split('"')[0].split() == words
    assert os.access(extension.folder / "run.sh", os.X_OK)


def test_the_shell_starter_gives_paths_as_they_are(tmp_path):
    """Whatever a model's name holds, `exec` and the environment reach Python."""
    python = tmp_path / "it's a $HOME `ñ` \\ python"
    python.write_text(
        f"#!{sys.executable}\nimport json, os, sys\n"
        'print(json.dumps([sys.argv[1:], os.environ["PYTHONUTF8"], os.getpid()]))\n',
        encoding="utf-8",
    )
    python.chmod(0o755)
    script = tmp_path / "run.sh"
    script.write_text(shell_starter(str(MODEL), str(python)), encoding="utf-8")
    script.chmod(0o755)
    bare = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    process = subprocess.Popen([script, "align"], env=bare, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    words, utf8, number = json.loads(process.communicate()[0])
    assert words == ["-m", "u2u_hf.integrations.elan.recogniser", "--task", "align", "--model", str(MODEL)]
    assert utf8 == "1"
    assert number == process.pid  # what ELAN ends on Cancel


def test_a_python_that_is_gone_is_told(elan, tmp_path):
    extension = install(elan.extensions, "m", str(MODEL), MODEL)
    (extension.folder / "run.sh").write_text(shell_starter(str(MODEL), str(tmp_path / "gone ñ")), encoding="utf-8")
    recording = tmp_path / "a.wav"
    recording.touch()
    run = elan.run(extension.entries[0], source=recording)
    assert run.result == "failed"
    assert "the Python of u2u-hf is not there any more: run python recipes/elan.py install" in run.problem


def test_the_batch_starter_is_utf8_with_windows_line_ends():
    lines = batch_starter(str(MODEL), "C:\\Ñu 100%\\python.exe").split("\r\n")
    assert "\n" not in "".join(lines)
    assert lines[:2] == ["@echo off", '"%SystemRoot%\\System32\\chcp.com" 65001 >nul']
    assert 'set "python=C:\\Ñu 100%%\\python.exe"' in lines
    assert lines[-2].endswith(f'--task "%~1" --model "{str(MODEL).replace("%", "%%")}"')
    assert all(line.isascii() for line in lines[:2])  # before the encoding is set


def test_two_models_of_one_name_stay_apart(elan):
    first = install(elan.extensions, "my_model", "/a/my_model", Path("/a/my_model"))
    second = install(elan.extensions, "my_model", "/b/my_model", Path("/b/my_model"))
    third = install(elan.extensions, "My_Model", "ana/My_Model", Path("/c"))
    assert len({extension.folder.name.lower() for extension in (first, second, third)}) == 3
    assert len(elan.menu().entries) == 9
    assert installed(elan.extensions) == sorted([first, second, third], key=lambda extension: extension.folder)


def test_installing_again_replaces_only_what_is_its_own(elan):
    first = install(elan.extensions, "my_model", "ana/my_model", Path("/old"))
    other = install(elan.extensions, "other", "ana/other", Path("/other"))
    (first.folder / "notes.txt").write_text("mine")
    (first.folder / "run.sh").unlink()
    again = install(elan.extensions, "my_model", "ana/my_model", Path("/new"))
    assert again.folder == first.folder
    assert "'/new'" in (again.folder / "run.sh").read_text()
    assert (first.folder / "notes.txt").read_text() == "mine"
    assert installed(elan.extensions) == [again, other]


def test_uninstalling_touches_nothing_of_anybody_else(elan):
    theirs = elan.extensions / "xls-r-elan"
    theirs.mkdir()
    (theirs / "xls-r.cmdi").write_text("<CMD/>")
    marker = {"made_by": "somebody", "title": "a", "source": "a", "model": "a", "version": "1"}
    (theirs / "u2u-hf.json").write_text(json.dumps(marker))
    ours = install(elan.extensions, "my_model", "ana/my_model", Path("/a"))
    kept = install(elan.extensions, "kept", "ana/kept", Path("/b"))
    (ours.folder / "notes.txt").write_text("mine")
    assert uninstall(ours) == ["notes.txt"]
    assert sorted(path.name for path in ours.folder.iterdir()) == ["notes.txt"]
    assert installed(elan.extensions) == [kept]
    assert uninstall(kept) == []
    assert not kept.folder.exists()
    assert sorted(path.name for path in theirs.iterdir()) == ["u2u-hf.json", "xls-r.cmdi"]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"made_by": "u2u-hf"}', '{"made_by": "u2u-hf", "x": 1}', "\x00"]
)
def test_a_damaged_marker_is_not_ours(tmp_path, text):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / elan_extension.MARKER).write_text(text)
    assert installed(tmp_path) == []


def test_a_folder_of_that_name_that_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / "u2u-hf_my_model").mkdir()
    assert install(tmp_path, "my_model", "ana/my_model", Path("/a")).folder.name == "u2u-hf_my_model_2"
    assert list((tmp_path / "u2u-hf_my_model").iterdir()) == []


LAYOUTS = {
    "darwin": (
        ["Applications/ELAN_7.0.app/Contents/app", "Users/ana/Applications/ELAN_6.9.app/Contents/app"],
        ["Applications/Praat.app/Contents/app"],
    ),
    "linux": (
        [
            "opt/elan-7.0/lib/app",
            "Users/ana/ELAN_6-8/app",
            "Users/ana/Downloads/elan/ELAN_6-9/lib/app",
            "usr/lib/elan/app",
        ],
        ["opt/other/lib/app", "Users/ana/a/b/ELAN_6-8/app"],
    ),
    "win32": (
        ["Users/ana/Local/ELAN_7-0/app", "Program Files/ELAN_6-9/app", "Users/ana/Local/Programs/ELAN_6-8/app"],
        ["Program Files/Elaner/other"],
    ),
}


@pytest.mark.parametrize("platform", LAYOUTS)
def test_every_elan_of_a_computer_is_found(platform, tmp_path):
    with_elan, without = LAYOUTS[platform]
    for number, app in enumerate(with_elan):
        if number % 2:
            (tmp_path / app / "extensions").mkdir(parents=True)
        else:
            (tmp_path / app).mkdir(parents=True)
            (tmp_path / app / "elan-7.0.jar").touch()
    for app in without:
        (tmp_path / app / "extensions").mkdir(parents=True)
    environment = {"LOCALAPPDATA": str(tmp_path / "Users/ana/Local"), "ProgramFiles": str(tmp_path / "Program Files")}
    found = find_extension_folders(platform, tmp_path / "Users/ana", environment, str(tmp_path))
    assert found == sorted(tmp_path / app / "extensions" for app in with_elan)


def test_an_elan_is_named_by_itself_or_by_its_extensions(tmp_path):
    extensions = tmp_path / "ELAN_7.0.app" / "Contents" / "app" / "extensions"
    extensions.mkdir(parents=True)
    for given in (extensions, tmp_path / "ELAN_7.0.app"):
        assert chosen_extension_folders(str(given)) == [extensions]
    with pytest.raises(U2UError, match="gone: there is no such folder: --elan names ELAN's folder `extensions`"):
        chosen_extension_folders(str(tmp_path / "gone"))
    with pytest.raises(U2UError, match="is not an ELAN"):
        chosen_extension_folders(str(tmp_path))


def test_a_computer_without_elan_is_told(monkeypatch):
    monkeypatch.setattr(elan_folders, "find_extension_folders", list)
    with pytest.raises(U2UError, match="no ELAN found: name the folder `extensions` inside it: --elan FOLDER"):
        chosen_extension_folders("")


@pytest.mark.parametrize(
    ("platform", "words"),
    [("darwin", "allow your terminal to change ELAN_7.0.app"), ("win32", "Run as administrator"), ("linux", "sudo")],
)
def test_who_may_not_write_there_is_told_what_to_do(platform, words):
    folder = Path("/Applications/ELAN_7.0.app/Contents/app/extensions")
    assert words in elan_folders.how_to_get_access(folder, platform)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Ñuu Savi", "u2u-hf_Nuu_Savi"),
        ("声音", "u2u-hf_model"),
        ("a.b/c", "u2u-hf_a_b_c"),
        ("x" * 300, f"u2u-hf_{'x' * 60}"),
    ],
)
def test_the_folder_has_a_plain_name(tmp_path, name, folder):
    assert install(tmp_path, name, f"ana/{name}", Path("/a")).folder.name == folder


def test_the_icon_is_a_picture(tmp_path):
    from PIL import Image

    icon = tmp_path / "icon.png"
    icon.write_bytes(elan_extension.icon())
    with Image.open(icon) as picture:
        picture.load()
        assert picture.size == (16, 16)
        assert picture.convert("P").getextrema() != (0, 0)


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.open = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_help_page_is_one_that_elan_can_show(elan, tmp_path):
    extension = install(elan.extensions, MODEL.name, str(MODEL), MODEL)
    page = (extension.folder / "help.html").read_text(encoding="ascii")
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    # HTML 3.2, and style.
    assert tags.tags <= set("html head title style body h1 h2 p b i tt ol li table tr th td".split())
    text = elan.help_page(extension.folder / "help.html", tmp_path / "help.png")
    assert f"{MODEL.name} in ELAN" in text
    for item in parameters.MENU:
        assert item.does in text
        assert all(parameter.label in text for parameter in item.parameters if parameter.id != "source")
    assert "<" not in text.replace("<last>", "")  # no tag that Java shows as text
