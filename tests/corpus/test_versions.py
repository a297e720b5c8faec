"""One sound, several annotation files: which of them are used."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from u2u_hf.corpus.reader import Recording, SoundFile
from u2u_hf.corpus.tiers import choose_tiers
from u2u_hf.corpus.versions import newest
from u2u_hf.records import Annotation, AnnotationDocument, Skipped, Tier, U2UError

OLD, NEW = "2024-05-01T10:00:00+02:00", "2025-02-12T10:00:00Z"


def tier(name="tx@AB", start=0, count=10, text="kala", participant="Ann", **more):
    spans = ((start + 1000 * i, start + 1000 * i + 900) for i in range(count))
    return Tier(name, tuple(Annotation(a, b, f"{text} {i}") for i, (a, b) in enumerate(spans)), "", participant, **more)


def recording(path, *tiers, date=OLD, audio="c/s0.wav", origin_ms=0):
    name = path if path.endswith(".TextGrid") else path.removesuffix(".eaf")
    return Recording(name, AnnotationDocument(f"c/{path}", (), tiers, date), audio, origin_ms)


def used(*recordings):
    """File → its tiers that are used, and file → why it is not used, or not all of it."""
    found = newest(recordings, {r.name: list(r.document.tiers) for r in recordings})
    left = {r.document.path: [t.name for t in found.tiers[r.name]] for r in found.recordings}
    assert not any(skipped.is_problem for skipped in found.skipped)
    return left, {skipped.where: skipped.reason for skipped in found.skipped}


def test_the_corrected_version_is_used_and_the_other_named():
    corrected = recording("s0.eaf", tier(text="kalla"), date=NEW)
    left, why = used(recording("s0_ed-2025-12-24.eaf", tier()), corrected)
    assert left == {"c/s0.eaf": ["tx@AB"]}
    assert why == {"c/s0_ed-2025-12-24.eaf": "s0.eaf is a version of it that was saved later, and is used"}


def test_of_three_versions_the_newest_is_used():
    left, why = used(
        recording("a.eaf", tier(), date="2024-01-01"),
        recording("b.eaf", tier(text="b"), date="2026-01-01T00:00:00+0100"),
        recording("c.eaf", tier(text="c"), date=NEW),
    )
    assert list(left) == ["c/b.eaf"]
    assert set(why) == {"c/a.eaf", "c/c.eaf"}


def test_a_copy_with_the_recognisers_tiers_is_later_than_its_original():
    """transcribe.py leaves the DATE of the file that it copies."""
    drafted = tier("tx@AB transcript", text="k", annotator="u2u-hf", participant="")
    left, why = used(
        recording("s0_ed-2025-02-12.eaf", tier()),
        recording("s0.eaf", tier(text="corrected"), replace(drafted, name="x")),
    )
    assert left == {"c/s0.eaf": ["tx@AB", "x"]}
    assert "a later copy, with the recogniser's tiers" in why["c/s0_ed-2025-02-12.eaf"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("s0.eaf", "s0_ed-2025-02-12.eaf"),
        ("s0_ed-2025-02-12.eaf", "s0_ed-2025-11-01.eaf"),
        ("s0_20250212.eaf", "s0_20251101.eaf"),
        ("s0.TextGrid", "s0_ed-2025-02-12.TextGrid"),
    ],
)
def test_the_edition_in_the_name_tells(old, new):
    for order in (1, -1):
        left, why = used(*[recording(old, tier()), recording(new, tier(text="new"))][::order])
        assert list(left) == [f"c/{new}"]
        assert why == {f"c/{old}": f"{new} is a later edition, by its name, and is used"}


def test_the_time_of_change_tells_unless_both_were_copied_together(tmp_path):
    paths = [tmp_path / "s0.eaf", tmp_path / "s0 corrected.eaf"]
    both = []
    for path, text in zip(paths, ("old", "new"), strict=True):
        path.touch()
        both.append(Recording(path.stem, AnnotationDocument(str(path), (), (tier(text=text),)), "c/s0.wav"))
    with pytest.raises(U2UError) as error:
        used(*both)
    assert str(error.value) == (
        f"{paths[0]}: s0 corrected.eaf is another version of it, and nothing tells which is newer: take one of them out"
    )
    os.utime(paths[0], (1e9, 1e9))
    assert list(used(*both)[0]) == [str(paths[1])]


def test_copies_are_used_once():
    left, why = used(recording("s0.eaf", tier()), recording("backup/s0.eaf", tier()))
    assert left == {"c/s0.eaf": ["tx@AB"]}
    assert why == {"c/backup/s0.eaf": "../s0.eaf has the same annotations, and is used"}


def test_parts_are_all_used_also_where_they_touch():
    parts = [recording("s0_1.eaf", tier()), recording("s0_2.eaf", tier(start=9500), date=NEW)]
    assert used(*parts) == ({"c/s0_1.eaf": ["tx@AB"], "c/s0_2.eaf": ["tx@AB"]}, {})


def test_parts_that_both_begin_at_0_are_told_apart_by_their_origins():
    parts = [recording("s0_1.eaf", tier()), recording("s0_2.eaf", tier(), origin_ms=60_000)]
    assert len(used(*parts)[0]) == 2
    assert len(used(parts[0], replace(parts[1], audio="c/s1.wav", origin_ms=0))[0]) == 2


def test_a_file_for_each_speaker_is_used_whole():
    """Also if somebody says mm all the time, and if the tiers have one name."""
    listener = tier("tx@CD", count=10, participant="Che")
    listener = replace(listener, annotations=tuple(replace(a, end_ms=a.start_ms + 100) for a in listener.annotations))
    assert len(used(recording("s0_AB.eaf", tier()), recording("s0_CD.eaf", listener))[0]) == 2
    same = [recording("s0_AB.eaf", tier("tx")), recording("s0_CD.eaf", replace(listener, name="tx"))]
    assert len(used(*same)[0]) == 2


def test_a_correction_of_one_speaker_leaves_the_others():
    old = recording("s0.eaf", tier(), tier("tx@CD", start=20_000, participant="Che"))
    left, why = used(old, recording("s0_ann.eaf", tier(text="corrected"), date=NEW))
    assert left == {"c/s0.eaf": ["tx@CD"], "c/s0_ann.eaf": ["tx@AB"]}
    reason = "tier tx@AB is not used: s0_ann.eaf is a version of it that was saved later, and is used"
    assert why == {"c/s0.eaf": reason}


def test_elans_file_is_used_before_an_aligners():
    words = tier("words", count=19, participant="")
    words = replace(words, annotations=tuple(Annotation(500 * i, 500 * i + 400, "kala") for i in range(19)))
    for order in (1, -1):
        left, why = used(*[recording("s0.eaf", tier()), recording("s0.TextGrid", words, date="")][::order])
        assert left == {"c/s0.eaf": ["tx@AB"]}
        assert why == {"c/s0.TextGrid": "s0.eaf annotates the same speech, and is used"}


@pytest.mark.parametrize(
    ("text", "changed_at", "is_told"),
    [
        ("corrected", 1e9 + 61, True),
        ("Kala ne", 1e9 + 61, False),  # the same words, exported from the ELAN file
        ("ne", 1e9 + 61, False),  # a part of them
        ("corrected", 1e9 + 59, False),  # copied together
        ("corrected", 1e9 - 61, False),
    ],
)
def test_a_textgrid_with_other_words_that_was_changed_after_the_elan_file_is_told(tmp_path, text, changed_at, is_told):
    both = []
    for name, said, at in (("s0.eaf", "kala ne", 1e9), ("s0.TextGrid", text, changed_at)):
        path = tmp_path / name
        path.touch()
        os.utime(path, (at, at))
        both.append(Recording(name, AnnotationDocument(str(path), (), (tier(text=said),)), "c/s0.wav"))
    for order in (1, -1):
        files = both[::order]
        found = newest(files, {r.name: list(r.document.tiers) for r in files})
        assert list(found.tiers) == ["s0.eaf"]
        assert found.skipped == [
            Skipped(
                str(tmp_path / "s0.TextGrid"),
                "s0.eaf annotates the same speech, and is used"
                + "; this file has other words and was changed later: if they are right, take s0.eaf out" * is_told,
                is_problem=is_told,
            )
        ]


@pytest.mark.parametrize(
    ("text", "audio", "is_told"),
    [
        ("tali miko", "c/1/s0.wav", True),  # its own recording, c/2/s0.wav, is missing
        ("kala miko", "c/1/s0.wav", False),  # a corrected version, kept in a folder of its own
        ("tali miko", "c/sound/s0.wav", False),  # no file lies beside its sound
    ],
)
def test_a_file_of_another_folder_with_other_words_replaces_none_beside_the_sound_in_silence(text, audio, is_told):
    def said(path, words, date):
        own = Tier("tx", tuple(Annotation(1000 * i, 1000 * i + 900, words) for i in range(10)))
        return recording(path, own, date=date, audio=audio)

    both = [said("1/s0.eaf", "kala reva", OLD), said("2/s0.eaf", text, NEW)]
    found = newest(both, {r.name: list(r.document.tiers) for r in both})
    assert list(found.tiers) == ["2/s0"]
    [skipped] = found.skipped
    assert skipped.is_problem == is_told
    assert skipped.reason == "../2/s0.eaf is a version of it that was saved later, and is used" + (
        "; that one has other words and does not lie beside this recording: if it is about another, "
        "take ../2/s0.eaf out" * is_told
    )


def test_a_tier_of_a_microphone_of_its_own_is_not_compared_with_others():
    mic = recording("s0.eaf", tier(participant=""), audio="c/zoom.wav")
    mic = replace(mic, tracks=(("tx@AB", SoundFile("c/s0_AB.wav")),))
    other = recording("s0_b.eaf", tier(participant=""), audio="c/zoom.wav", date=NEW)
    assert len(used(mic, other)[0]) == 2
    assert len(used(mic, replace(other, audio="c/s0_AB.wav"))[0]) == 1


def test_paths_are_as_seen_from_the_other_file():
    left, why = used(recording("new/s0.eaf", tier(text="n"), date=NEW), recording("old/deep/s0.eaf", tier()))
    assert [Path(path).parent.name for path in left] == ["new"]
    assert why["c/old/deep/s0.eaf"].startswith("../../new/s0.eaf is a version")


def test_a_file_of_another_folder_is_called_by_its_name_alone():
    """Reports of datasets are pushed: they name no folder above those that the corpus was read from."""
    files = {"/home/ana/corpus/a/a.eaf": "a/a", "/home/ana/work/.corrected-01/a.eaf": "a"}
    both = [
        Recording(name, AnnotationDocument(path, (), (tier(),), date), "c/s0.wav")
        for (path, name), date in zip(files.items(), (OLD, NEW), strict=True)
    ]
    assert used(*both)[1] == {next(iter(files)): "a.eaf is a version of it that was saved later, and is used"}


def test_a_corrected_draft_is_used_before_the_tier_that_it_was_made_from():
    texts = ("kala miko", "tala reva", "sunu pelo kira", "miko sunu", "reva kala")
    own = Tier("tx@AB", tuple(Annotation(i * 2000, i * 2000 + 1500, text) for i, text in enumerate(texts)), "", "AB")
    drafted = replace(own, name="tx@AB transcript", annotator="u2u-hf", linguistic_type="utterance")
    chosen, _ = choose_tiers([recording("s0.eaf", own, drafted), recording("s1.eaf", own)])
    assert {name: [t.name for t in row] for name, row in chosen.items()} == {
        "s0": ["tx@AB transcript"],
        "s1": ["tx@AB"],
    }


class _Read(tuple):
    """Annotations that count how often they are gone through."""

    times = 0

    def __iter__(self):
        _Read.times += 1
        return super().__iter__()


def test_two_files_of_hundreds_of_tiers_are_not_compared_in_pairs():
    rows = [tier(f"tx@{n}", count=3, participant=f"S{n}") for n in range(400)]
    counted = [replace(row, annotations=_Read(row.annotations)) for row in rows]
    _Read.times = 0
    left, why = used(recording("old.eaf", *counted), recording("new.eaf", *counted, date=NEW))
    assert list(left) == ["c/new.eaf"]
    assert why == {"c/old.eaf": "new.eaf is a version of it that was saved later, and is used"}
    assert _Read.times < 10 * len(rows)
