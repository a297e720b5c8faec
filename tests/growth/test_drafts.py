"""Better drafts take the place of those that nobody touched, and of no other."""

import json

import pytest
from support.saving import SAVES, before_call, saved_before

from u2u_hf import written_files
from u2u_hf.growth.drafts import QUEUE, Drafts


@pytest.fixture
def drafts(tmp_path):
    made = Drafts(tmp_path / "transcripts", tmp_path / ".transcripts", ["eaf", "json"])
    made.transcripts.mkdir()
    made.begin(2)
    return made


def written(folder, name, text):
    """A file as a recipe writes it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    written_files.note(folder, path)
    return path


def texts(folder):
    return {p.name: p.read_text(encoding="utf-8") for p in folder.iterdir() if not p.name.startswith(".")}


def test_an_untouched_draft_is_replaced_and_a_corrected_one_stays(drafts, tmp_path):
    for name in "ab":
        written(drafts.transcripts, f"{name}.eaf", f"old {name}")
        written(drafts.new, f"{name}.eaf", f"new {name}")
    written(drafts.new, "c.eaf", "new c")
    written(drafts.new, QUEUE, "queue")
    (drafts.transcripts / "b.eaf").write_text("corrected", encoding="utf-8")
    assert drafts.take(tmp_path / "drafts") == (2, ["b.eaf"])
    assert texts(drafts.transcripts) == {"a.eaf": "new a", "b.eaf": "corrected", "c.eaf": "new c", QUEUE: "queue"}
    assert texts(tmp_path / "drafts") == {"a.eaf": "new a", "c.eaf": "new c"}  # what nobody saw, nobody corrects
    for name in ("a.eaf", "c.eaf", QUEUE):
        assert written_files.wrote(drafts.transcripts, drafts.transcripts / name)
    assert not written_files.wrote(drafts.transcripts, drafts.transcripts / "b.eaf")


def test_a_draft_is_of_the_kind_that_it_was_written_as(drafts, tmp_path):
    written(drafts.transcripts, "a.eaf", "old a")
    written_files.note(drafts.new, written(drafts.new, "a.eaf", "new a"), kind="--windows")
    drafts.take(tmp_path / "drafts")
    assert written_files.kinds(drafts.transcripts) == {"a.eaf": "--windows"}


def test_what_a_person_corrected_after_a_killed_run_is_not_taken_for_a_draft(drafts, tmp_path):
    written(drafts.transcripts, "a.eaf", "old a")
    written(drafts.new, "a.eaf", "new a")
    assert drafts.take(tmp_path / "drafts") == (1, [])
    # Killed here; a person corrects the draft, and the run, done again, keeps it aside so that it is not made anew.
    (drafts.transcripts / "a.eaf").write_text("corrected", encoding="utf-8")
    (drafts.new / "a.eaf").write_text("corrected", encoding="utf-8")
    drafts.take(tmp_path / "drafts")
    assert texts(drafts.transcripts) == {"a.eaf": "corrected"}
    assert texts(tmp_path / "drafts") == {"a.eaf": "new a"}  # by which the next round sees what was corrected


@pytest.mark.parametrize("way", SAVES)
@pytest.mark.parametrize("call", range(1, 8))
def test_what_a_person_saves_at_any_moment_is_kept(drafts, tmp_path, monkeypatch, call, way):
    written(drafts.transcripts, "a.eaf", "old a")
    written(drafts.new, "a.eaf", "new a")
    saved = saved_before(monkeypatch, call, drafts.transcripts / "a.eaf", SAVES[way])
    drafts.take(tmp_path / "drafts")
    assert saved()
    drafts.clean()
    there = texts(drafts.transcripts)
    assert "corrected" in there.values()
    assert set(there) <= {"a.eaf", "a.edited.eaf"}
    was_placed = call > 2  # else nobody can have corrected the new draft
    assert (tmp_path / "drafts" / "a.eaf").exists() == was_placed


@pytest.mark.parametrize("call", range(1, 6))
def test_the_draft_that_a_person_corrected_after_a_kill_is_known(drafts, tmp_path, monkeypatch, call):
    """If it was the new one, the next round compares with that, and takes nothing of it for the person's."""
    written(drafts.transcripts, "a.eaf", "old a")
    written(drafts.new, "a.eaf", "new a")

    def killed():
        raise KeyboardInterrupt

    before_call(monkeypatch, call, killed)
    with pytest.raises(KeyboardInterrupt):
        drafts.take(tmp_path / "drafts")
    seen = texts(drafts.transcripts).get("a.eaf")
    if seen:
        SAVES["written anew"](drafts.transcripts / "a.eaf")
    drafts.take(tmp_path / "drafts")
    assert texts(drafts.transcripts) == {"a.eaf": "corrected" if seen else "new a"}
    assert (tmp_path / "drafts" / "a.eaf").exists() == (seen != "old a")


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("call", range(1, 11))
def test_killed_between_any_two_files(drafts, tmp_path, monkeypatch, call, corrected):
    """The run ends before the n-th time that a file gets or loses a name, and is done again."""
    for name in "ab":
        written(drafts.transcripts, f"{name}.eaf", f"old {name}")
        written(drafts.new, f"{name}.eaf", f"new {name}")
    if corrected:
        (drafts.transcripts / "b.eaf").write_text("corrected", encoding="utf-8")

    def killed():
        raise KeyboardInterrupt

    before_call(monkeypatch, call, killed)
    with pytest.raises(KeyboardInterrupt):
        drafts.take(tmp_path / "drafts")
    drafts.take(tmp_path / "drafts")
    assert texts(drafts.transcripts) == {"a.eaf": "new a", "b.eaf": "corrected" if corrected else "new b"}
    assert written_files.wrote(drafts.transcripts, drafts.transcripts / "a.eaf")


def test_what_is_skipped_stays_out_of_the_queue(drafts):
    """Except for the segments that nobody has confirmed yet, and the drafts of a recogniser that stays in use."""
    segments = [{"start_ms": start, "end_ms": start + 900, "text": "ka"} for start in (0, 1000)]
    for name in ("partly", "whole", "kept"):
        written(drafts.transcripts, f"{name}.eaf", name)
        written(drafts.transcripts, f"{name}.json", json.dumps({"audio": f"{name}.wav", "segments": segments}))
    drafts.skip({"partly", "whole", "of the corpus"}, {"partly": [["t", 1000, 1900]]}, {"kept"})
    found = {p.stem: json.loads(p.read_text(encoding="utf-8"))["segments"] for p in drafts.new.glob("*.json")}
    assert found == {"partly": segments[1:], "whole": [], "of the corpus": [], "kept": segments}
    assert {p.stem for p in drafts.new.glob("*.eaf")} == set(found)
    before = texts(drafts.transcripts)
    assert drafts.take(drafts.new / "snapshot") == (0, [])
    assert texts(drafts.transcripts) == before


def test_what_another_round_left_is_removed(drafts):
    written(drafts.new, "a.eaf", "of round 2")
    drafts.begin(2)
    assert "a.eaf" in texts(drafts.new)
    drafts.begin(3)
    assert texts(drafts.new) == {}
