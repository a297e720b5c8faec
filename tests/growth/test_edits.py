"""What a person did to the annotations of a tier, on hand-made .eaf pairs."""

from collections import Counter

import pytest

from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.growth.edits import compare, in_words
from u2u_hf.records import CORRECTED_TYPE, SEGMENT_TYPE, Annotation, Tier

DRAFT = [(0, 1000, "kana"), (1000, 2000, "tali"), (2500, 4500, "nena po"), (5000, 6000, "ri")]


def read(path, *tiers):
    """Tiers as ELAN's file gives them back: (name, type, annotations)."""
    made = [Tier(name, tuple(Annotation(*a) for a in rows), kind) for name, kind, rows in tiers]
    write_eaf(path, made, [path.with_suffix(".wav")])
    return read_eaf(path).tiers


def edits(tmp_path, after, name="t", kind=SEGMENT_TYPE):
    before = read(tmp_path / "a.eaf", ("t", SEGMENT_TYPE, DRAFT))
    return compare(before, read(tmp_path / "b.eaf", (name, kind, after)))


@pytest.mark.parametrize(
    ("after", "kinds", "changed"),
    [
        (DRAFT, {}, 0),
        ([(0, 1000, " kana\n"), *DRAFT[1:]], {}, 0),
        ([(0, 1000, "kano"), *DRAFT[1:]], {"text": 1}, 1),
        ([(0, 900, "kana"), *DRAFT[1:]], {"border": 1}, 0),
        # A border that two annotations share is the border of both, and joins nothing.
        ([(0, 800, "kana"), (800, 2000, "tali"), *DRAFT[2:]], {"border": 2}, 0),
        ([*DRAFT[:2], (2500, 3400, "nena"), (3400, 4500, "po"), DRAFT[3]], {"split": 1}, 0),
        ([(0, 2000, "kana tali"), *DRAFT[2:]], {"join": 1}, 0),
        ([(0, 2000, "kana tal"), *DRAFT[2:]], {"join": 1}, 1),
        (DRAFT[:3], {"deleted": 1}, 2),
        ([*DRAFT, (7000, 8000, "so")], {"new": 1}, 2),
        ([*DRAFT[:3], (7000, 8000, "ri")], {"moved": 1}, 0),
        ([*DRAFT[:3], (7000, 8000, "ra")], {"deleted": 1, "new": 1}, 4),
        ([(0, 400, "ka"), (400, 2000, "natali"), *DRAFT[2:]], {"regrouped": 1}, 2),
    ],
)
def test_annotation_by_annotation(tmp_path, after, kinds, changed):
    [edit] = edits(tmp_path, after)
    assert edit.count() == Counter(kinds)
    assert edit.characters()[0] == changed
    assert edit.is_same == (after == DRAFT)


def test_characters_of_what_was_looked_through(tmp_path):
    [edit] = edits(tmp_path, [(0, 1000, "kanos"), *DRAFT[1:]])
    assert edit.characters() == (2, 5 + 4 + 7 + 2)
    [edit] = edits(tmp_path, [(0, 1000, "k"), *DRAFT[1:3]])  # never more than there were
    assert edit.characters() == (3 + 2, 4 + 4 + 7 + 2)


def test_a_new_type_alone_is_told_and_changes_no_annotation(tmp_path):
    [edit] = edits(tmp_path, DRAFT, kind=CORRECTED_TYPE)
    assert not edit.changes
    assert not edit.is_same


def test_a_renamed_tier_is_the_same_tier(tmp_path):
    [edit] = edits(tmp_path, [(0, 1000, "kano"), *DRAFT[1:]], name="ANA")
    assert (edit.is_renamed, edit.name, edit.before.name) == (True, "ANA", "t")
    assert edit.count() == Counter(text=1)


def test_a_tier_with_other_annotations_is_another_tier(tmp_path):
    new, gone = edits(tmp_path, [(0, 300, "a"), (400, 450, "b")], name="notes")
    assert (new.before, new.after.name) == (None, "notes")
    assert (gone.before.name, gone.after) == ("t", None)
    assert gone.count() == Counter(deleted=4)


def test_words():
    assert in_words(Counter(text=2, join=1, new=3)) == (
        "2 texts corrected, 1 annotation made of several, 3 annotations added"
    )
