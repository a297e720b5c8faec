"""What people corrected in a folder of transcripts, and what of it is learnt from."""

import json
import os
import shutil

import pytest

from u2u_hf import written_files
from u2u_hf.formats import writers
from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.growth.corrections import collect, edited_files
from u2u_hf.records import CORRECTED_TYPE, MACHINE_ANNOTATOR, SEGMENT_TYPE, Annotation, Segment, Tier, Transcript

TEXTS = ["kana tali", "nena po", "ri so ka"]


def as_draft(texts=TEXTS, kind=SEGMENT_TYPE, name="transcript"):
    rows = tuple(Annotation(1000 * i, 1000 * i + 900, text) for i, text in enumerate(texts))
    return Tier(name, rows, kind, annotator=MACHINE_ANNOTATOR)


class Place:
    """A folder of transcripts, with the drafts of one round."""

    def __init__(self, root):
        self.root, self.transcripts, self.drafts = root, root / "transcripts", root / "drafts"
        self.recordings = {}
        for folder in (self.transcripts, self.drafts):
            folder.mkdir()

    def draft(self, name, *tiers):
        path = self.transcripts / f"{name}.eaf"
        write_eaf(path, tiers or [as_draft()], [self.root / f"{name}.wav"], spare_types=[CORRECTED_TYPE])
        written_files.note(self.transcripts, path)
        shutil.copy(path, self.drafts / path.name)
        self.recordings[name] = str(self.root / f"{name}.wav")
        return path

    def correct(self, name, *tiers):
        write_eaf(self.transcripts / f"{name}.eaf", tiers, [self.root / f"{name}.wav"], spare_types=[CORRECTED_TYPE])

    def collect(self, before=None, counted=None, transcribed=(), drafts=None):
        given = drafts or [self.drafts], before or {}, counted or {}, self.recordings, transcribed
        return collect(self.transcripts, self.root / "copies", *given)

    def learnt(self, name):
        """Text by tier that a round learns from."""
        tiers = read_eaf(self.root / "copies" / f"{name}.eaf").tiers
        return {t.name: [a.value for a in t.annotations] for t in tiers if t.linguistic_type == CORRECTED_TYPE}


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_an_untouched_draft_is_nobodys_work(place):
    place.draft("a")
    found = place.collect()
    assert (found.touched, found.audio, found.lines, found.characters) == ([], {}, [], 0)
    assert not list((place.root / "copies").iterdir())


def test_a_tier_of_a_persons_type_is_learnt_from_whole_and_counted(place):
    place.draft("a")
    place.correct("a", as_draft(["kana tali", "nena pa", "ri so ka"], CORRECTED_TYPE))
    found = place.collect()
    assert found.touched == ["a"]
    assert place.learnt("a") == {"transcript": ["kana tali", "nena pa", "ri so ka"]}
    assert (found.changed, found.characters) == (1, 9 + 7 + 8)
    assert found.lines == [f"a.eaf: tier transcript has the type {CORRECTED_TYPE}; 1 text corrected"]
    assert found.open_segments == {"a": []}
    assert not found.problems

    # In the next round only what was changed since is new.
    place.correct("a", as_draft(["kana tali", "nena pa", "ri so ki"], CORRECTED_TYPE))
    again = place.collect(found.state, json.loads(json.dumps(found.counted)))
    assert again.lines == ["a.eaf: 1 text corrected"]
    assert again.characters == 0  # that part of the draft was judged before
    assert place.learnt("a") == {"transcript": ["kana tali", "nena pa", "ri so ki"]}


def test_of_a_tier_that_is_still_the_recognisers_only_the_changed_annotations_are_learnt_from(place):
    place.draft("a")
    place.correct("a", as_draft(["kana tali", "nena pa", "ri so ka"]))
    found = place.collect()
    assert place.learnt("a") == {"transcript corrected": ["nena pa"]}
    assert found.open_segments == {"a": [("transcript", 0, 900), ("transcript", 2000, 2900)]}
    assert (found.changed, found.characters) == (1, 7)
    [problem] = found.problems
    assert "1 text corrected; only these are learnt from" in problem
    assert read_eaf(place.transcripts / "a.eaf").tiers == (as_draft(["kana tali", "nena pa", "ri so ka"]),)


def test_a_few_annotations_do_not_replace_the_transcript_that_the_corpus_has(place):
    place.draft("a")
    place.correct("a", as_draft(["kana tali", "nena pa", "ri so ka"]))
    found = place.collect(transcribed={place.recordings["a"]})
    assert found.audio == {}
    assert "the corpus has a transcript of this recording" in found.problems[0]


def test_a_file_that_became_invalid_is_told_and_left(place):
    path = place.draft("a")
    path.write_text(path.read_text(encoding="utf-8").replace("</TIER>", ""), encoding="utf-8")
    before = path.read_bytes()
    found = place.collect({"a": (as_draft(),)})
    assert found.touched == ["a"]
    assert found.audio == {}
    [problem] = found.problems
    assert problem.startswith(f"{path}: ")
    assert problem.endswith("it is kept as it is, and not learnt from until it is repaired")
    assert path.read_bytes() == before
    place.correct("a", as_draft(["kana tali", "nena pa", "ri so ka"]))  # repaired, and corrected
    assert place.collect(found.state).lines == ["a.eaf: 1 text corrected"]


def test_a_renamed_tier_is_told(place):
    place.draft("a")
    place.correct("a", as_draft(TEXTS, CORRECTED_TYPE, "ANA"))
    found = place.collect()
    assert found.lines == [f"a.eaf: tier transcript is now called ANA; tier ANA has the type {CORRECTED_TYPE}"]
    assert place.learnt("a") == {"ANA": TEXTS}
    assert (found.changed, found.characters) == (0, 24)


def test_a_recording_or_transcript_that_is_gone_is_told(place):
    place.draft("a")
    place.correct("a", as_draft(TEXTS, CORRECTED_TYPE))
    place.recordings = {"c": "c.wav"}
    found = place.collect({"b": (as_draft(),)})
    assert found.audio == {}
    assert "a.eaf: its recording is not there any more" in found.problems[0]
    assert "b.eaf: is not there any more; it was corrected" in found.problems[1]


def test_a_renamed_transcript_is_of_the_recording_that_it_links_to(place):
    place.draft("a")
    place.correct("a", as_draft(TEXTS, CORRECTED_TYPE))
    (place.transcripts / "a.eaf").rename(place.transcripts / "better.eaf")
    found = place.collect()
    assert found.audio == {"better": place.recordings["a"]}
    assert place.learnt("better") == {"transcript": TEXTS}


def test_what_was_saved_under_another_name_is_compared_with_the_draft_of_its_recording(place):
    """ELAN's Save As: the draft stays beside it, and nobody is asked for the same correction again."""
    place.draft("a")
    write_eaf(place.transcripts / "mine.eaf", [as_draft(["kana tali", "nena pa", "ri so ka"])], [place.root / "a.wav"])
    found = place.collect()
    assert found.lines == ["mine.eaf: 1 text corrected"]
    assert found.audio == {"mine": place.recordings["a"]}
    assert place.learnt("mine") == {"transcript corrected": ["nena pa"]}
    assert found.open_segments == {"a": [("transcript", 0, 900), ("transcript", 2000, 2900)]}
    assert found.touched == ["mine", "a"]
    assert (found.changed, found.characters) == (1, 7)

    # What another file of the same draft has, too, is not counted twice, and what that confirmed is not open.
    place.correct("a", as_draft(["kana tali", "nena pa", "ri so ki"]))
    again = place.collect(found.state, found.counted)
    assert again.open_segments == {"a": [("transcript", 0, 900)]}
    assert (again.changed, again.characters) == (1, 8)


def test_a_copy_is_as_old_as_what_it_is_a_copy_of(place):
    """By this prepare.py tells which of two files of one recording is the newer state of it."""
    place.draft("a")
    for name, texts, saved in (("a", ["kana tali", "nena pa", "ri so ka"], 2e9), ("mine", TEXTS, 1e9)):
        write_eaf(place.transcripts / f"{name}.eaf", [as_draft(texts, CORRECTED_TYPE)], [place.root / "a.wav"])
        os.utime(place.transcripts / f"{name}.eaf", (saved, saved))
    place.collect()
    assert {path.stem: path.stat().st_mtime for path in place.root.glob("copies/*")} == {"a": 2e9, "mine": 1e9}


def test_what_was_corrected_from_an_older_draft_is_compared_with_that(place):
    """It was open in ELAN while a round wrote a better draft, and was saved afterwards."""
    place.draft("a")
    newer = place.root / "newer"
    newer.mkdir()
    write_eaf(newer / "a.eaf", [as_draft(["kuno tuli", "nuno pu", "ru su ku"])], [place.root / "a.wav"])
    place.correct("a", as_draft(["kana tali", "nena pa", "ri so ka"], CORRECTED_TYPE))
    assert place.collect(drafts=[newer, place.drafts]).changed == 1


def test_a_draft_from_before_the_first_round_is_known_by_its_json(place):
    place.draft("a")
    segments = tuple(Segment(0, 1000 * i, 1000 * i + 900, text) for i, text in enumerate(TEXTS))
    writers.write(Transcript("a.wav", 3000, 1, segments), {"json": place.transcripts / "a.json"})
    place.correct("a", as_draft(["kana tali", "nena pa", "ri so ka"], CORRECTED_TYPE))
    assert place.collect(drafts=[place.root / "none"]).changed == 1


def test_a_draft_that_was_transcribed_anew_between_two_rounds_is_known_by_its_json(place):
    place.draft("a")
    newer = [Segment(0, 1000 * i, 1000 * i + 900, text) for i, text in enumerate(["kuno tuli", "nuno pu", "ru su ku"])]
    writers.write(Transcript("a.wav", 3000, 1, tuple(newer)), {"json": place.transcripts / "a.json"})
    place.correct("a", as_draft(["kuno tuli", "nuno pa", "ru su ku"]))
    found = place.collect()
    assert place.learnt("a") == {"transcript corrected": ["nuno pa"]}
    assert (found.changed, found.characters) == (1, 7)


def test_a_draft_that_was_written_without_a_queue_is_told(place):
    """Nothing is left of it to compare with: what its annotations were taken from nobody can tell."""
    (place.draft("a").parent.parent / "drafts" / "a.eaf").unlink()
    place.correct("a", as_draft(["kana tali", "nena pa", "ri so ka"]))
    found = place.collect()
    assert found.audio == {}
    [problem] = found.problems
    assert "a.eaf: the draft of transcript is not known (written without --queue, or copied)" in problem
    place.correct("a", as_draft(["kana tali", "nena pa", "ri so ka"], CORRECTED_TYPE))
    found = place.collect()
    assert place.learnt("a") == {"transcript": ["kana tali", "nena pa", "ri so ka"]}
    assert found.problems == []


def test_a_transcript_is_edited_once_it_differs_in_anything(place):
    path = place.draft("a")
    assert edited_files(place.transcripts) == {}
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert edited_files(place.transcripts) == {"a": path}
