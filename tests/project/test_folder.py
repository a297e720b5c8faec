import pytest

from u2u_hf.project.folder import Project
from u2u_hf.records import U2UError


def test_paths_are_read_as_they_were_written(tmp_path):
    project = Project(tmp_path / "my project")
    assert not project.is_there
    project.set_paths(tmp_path / "corpus", [tmp_path / "new"])
    assert project.is_there
    assert project.corpus == tmp_path / "corpus"
    assert project.recordings == [tmp_path / "new"]


def test_paths_in_a_file_written_by_hand_begin_at_the_project(tmp_path):
    (tmp_path / "project.yaml").write_text("corpus: elan\n")
    assert Project(tmp_path).corpus == tmp_path / "elan"
    assert Project(tmp_path).recordings == [tmp_path / "elan"]


def test_settings_of_a_recipe(tmp_path):
    project = Project(tmp_path)
    assert project.settings("prepare") == {}
    project.set_settings("prepare", {"tiers": ["*_tx"]})
    assert project.settings("prepare") == {"tiers": ["*_tx"]}
    assert project.config("prepare").read_text() == "tiers:\n- '*_tx'\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "is no project yet: project.yaml is missing in it"),
        ("corpus: [", "cannot be read"),
        ("- a\n", "must hold lines of the form"),
        ("recordings: new\n", "names no corpus"),
        ("corpus: a\ncorpsu: b\n", "unknown key corpsu"),
    ],
)
def test_a_damaged_project_is_told(tmp_path, text, problem):
    if text is not None:
        (tmp_path / "project.yaml").write_text(text)
    with pytest.raises(U2UError, match=problem):
        _ = Project(tmp_path).corpus


def test_what_lies_in_the_project_moves_with_it(tmp_path):
    project = Project(tmp_path / "project")
    project.set_paths(project.folder / "corpus", [project.folder / "rec" / "new", tmp_path / "other"])
    moved = Project(project.folder.rename(tmp_path / "moved"))
    assert moved.corpus == tmp_path / "moved" / "corpus"
    assert moved.recordings == [tmp_path / "moved" / "rec" / "new", tmp_path / "other"]
