import json

import pytest

from u2u_hf.integrations.menu_folder import MARKER, free_name, note, noted, remove


def test_what_is_noted_is_read(tmp_path):
    note(tmp_path, {"model": "ñ", "folder": "/m"})
    assert noted(tmp_path) == {"model": "ñ", "folder": "/m"}
    (tmp_path / MARKER).write_text(json.dumps({"model": "m"}), encoding="utf-8")  # as Praat's were at first
    assert noted(tmp_path) == {"model": "m"}


@pytest.mark.parametrize("marker", ["[]", "{", '{"made_by": "somebody else"}'])
def test_a_folder_of_somebody_else_is_not_ours(tmp_path, marker):
    assert noted(tmp_path) is None
    (tmp_path / MARKER).write_text(marker, encoding="utf-8")
    assert noted(tmp_path) is None


def test_a_name_that_is_taken_gets_a_number():
    assert free_name("a", {"b"}) == "a"
    assert free_name("a", {"A", "a_2"}, "_") == "a_3"


def test_what_is_ours_is_removed_and_others_files_stay(tmp_path):
    for name in ("ours", "theirs"):
        folder = tmp_path / name
        note(folder, {})
        (folder / "work").mkdir()
        (folder / "work" / "left.wav").touch()
    (tmp_path / "theirs" / "notes.txt").touch()
    assert remove(tmp_path / "ours", ("gone", "work")) == []
    assert remove(tmp_path / "theirs", ("gone", "work")) == ["notes.txt"]
    assert [path.name for path in tmp_path.rglob("*")] == ["theirs", "notes.txt"]
