"""What Studio remembers from one start to the next, and from whom it is kept."""

import importlib
import os
import stat
import sys

import pytest
from conftest import PROJECT

from u2u_hf.project.folder import Project


@pytest.fixture
def memory(monkeypatch):
    monkeypatch.syspath_prepend(str(PROJECT / "spaces" / "studio"))
    return importlib.import_module("memory").Memory


@pytest.fixture
def projects(memory):
    return importlib.import_module("projects").Projects


def test_a_later_start_has_the_same_secret(memory, tmp_path):
    path = tmp_path / "state" / "studio.json"
    first = memory(path)
    first.add(tmp_path / "a")
    later = memory(path)
    assert later.secret == first.secret
    assert len(later.secret) >= 32
    later.add(tmp_path / "b")
    later.add(tmp_path / "a")
    assert first.projects == [tmp_path / "a", tmp_path / "b"]
    path.write_text("{")  # damaged
    assert memory(path).secret != first.secret


@pytest.mark.skipif(sys.platform == "win32", reason="there, folders of users are closed to others")
def test_nobody_else_may_read_it(memory, tmp_path):
    path = tmp_path / "studio.json"
    first = memory(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o640)
    later = memory(path)
    assert later.secret != first.secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_a_place_to_write_studio_works(memory, tmp_path):
    (tmp_path / "file").touch()
    found = memory(tmp_path / "file" / "studio.json")
    found.add(tmp_path)
    assert found.secret
    assert found.projects == []


def test_only_projects_that_the_user_has_opened_are_read(memory, projects, tmp_path):
    path = tmp_path / "state" / "studio.json"
    known, other = Project(tmp_path / "known"), Project(tmp_path / "other")
    for project in (known, other):
        project.set_paths(tmp_path)
    before = projects(known.folder, memory(path))
    later = projects(None, memory(path))
    assert later.last is None  # nothing is opened by itself
    assert later.of_key(before.key(known)) == known
    assert later.opened(str(known.folder)) == known
    assert later.opened(str(other.folder)) is None
    assert later.of_key(before.key(other)) is None
    assert later.opened(os.fspath(tmp_path)) is None
    assert not later.is_gone(known)
    known.folder.rename(tmp_path / "moved")
    assert later.is_gone(known)
    assert not later.is_gone(other)
