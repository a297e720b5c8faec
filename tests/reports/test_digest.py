"""The digest of a preparation: numbers worked out by hand, and no path but those in the corpus."""

from pathlib import Path

import pytest
from support.preparations import prepared, recording, utterance

from u2u_hf.records import Annotation, Dropped, Skipped, Tier
from u2u_hf.reports.digest import Source, digest, group_drops, hours_by, summarise_tiers


def test_tiers_of_one_name_are_taken_together():
    tx = Tier("tx", tuple(Annotation(i * 1000, i * 1000 + 900, f"word {i}") for i in range(9)), "utt", "ANA")
    again = Tier("tx", (Annotation(0, 900, "more"), Annotation(900, 1800, " ")), "utt", "EVA")
    note = Tier("note", (Annotation(0, 3_600_000, "long"),))
    found = summarise_tiers([recording("a", tx, note), recording("b", again)], {"a": [tx], "b": []}, {"tx": "because"})
    assert [tier.name for tier in found] == ["tx", "note"]  # the chosen first
    assert (found[0].files, found[0].chosen, found[0].why) == (2, 1, "because")
    assert (found[0].linguistic_types, found[0].participants) == (("utt",), ("ANA", "EVA"))
    assert (found[0].annotations, found[1].annotations) == (11, 1)
    assert found[0].hours == pytest.approx(11 * 0.9 / 3600)
    assert found[1].hours == 1
    assert found[0].samples == ("word 1", "word 5", "word 8")  # of ten different: from each third
    assert found[1].samples == ("long",)


def test_hours_are_added_up():
    utterances = [
        utterance("a", seconds=1800),
        utterance("b", seconds=1800, speaker="EVA"),
        utterance("c", seconds=900),
    ]
    assert hours_by(utterances, lambda u: u.speaker) == {"ANA": 0.75, "EVA": 0.5}
    assert list(hours_by(utterances, lambda u: u.speaker)) == ["ANA", "EVA"]


def test_reasons_are_counted_with_the_first_in_the_corpus():
    late, early = utterance("x", 5000), utterance("y", 1000)
    other = utterance("z", recording="talk")
    dropped = [
        Dropped(other, "other"),
        Dropped(late, "short", "by far"),
        Dropped(early, "short", "by far"),
        Dropped(other, "short", "a little"),
        Dropped(early, "short"),
    ]
    found = group_drops(dropped, {"talk": Source("talk", "talk.eaf", "audio/talk.wav", 0)})
    assert [(group.reason, group.count, group.first) for group in found] == [("short", 4, early), ("other", 1, other)]
    assert found[0].details == {("story.wav", "by far"): 2, ("audio/talk.wav", "a little"): 1}
    assert not found[1].details


def test_times_are_those_that_elan_shows():
    found = digest(prepared({"train": []}, recordings=[recording("story", origin_ms=2000)]), Path("nowhere"))
    assert found.time(utterance("a", 62_000)) == "00:01:00.000"  # the media begins two seconds before the annotations


def test_paths_are_those_in_the_corpus(tmp_path):
    corpus = tmp_path / "corpus"
    for name in ("audio/a.wav", "audio/b.wav", "eaf/a.eaf"):
        (corpus / name).parent.mkdir(parents=True, exist_ok=True)
        (corpus / name).touch()
    made = prepared(
        {"train": []},
        recordings=[recording("eaf/a", path=corpus / "eaf" / "a.eaf", audio=str(corpus / "audio" / "a.wav"))],
        skipped=[Skipped(str(corpus / "eaf" / "c.eaf"), "is not XML"), Skipped("/elsewhere/d.eaf", "is not XML")],
    )
    found = digest(made, corpus)
    assert found.sources["eaf/a"] == Source("eaf/a", "eaf/a.eaf", "audio/a.wav", 0)
    assert [s.where for s in found.skipped] == ["eaf/c.eaf", "d.eaf"]
    assert found.without_annotation == ["audio/b.wav"]
    assert (found.name, found.annotation_files, found.audio_files) == ("corpus", 3, 2)


def test_every_character_that_rules_removed_anywhere_is_listed():
    rows = [
        utterance("ka ma", raw="Ka, ma [e]"),
        utterance("ma'a", 2000, raw="Ma'a 'e'"),  # the apostrophe stays in one place and goes in two
        utterance("\u00e9", 3000, raw="E\u0301"),  # only the Unicode form and the case differ
    ]
    ignored = Dropped(utterance("", 5000, raw="%ignore%"), "ignored")
    found = digest(prepared({"train": rows}, dropped=[ignored]), Path("nowhere")).removed
    assert {c.character: c.count for c in found} == {"e": 2, "'": 2, ",": 1, "[": 1, "]": 1}
    assert {c.character: c.example for c in found}["'"] == rows[1]


def test_characters_that_training_lacks():
    splits = {"train": [utterance("ab")], "validation": [utterance("ac c")], "test": [utterance("d")]}
    assert digest(prepared(splits), Path("nowhere")).unseen == {"c": 2, " ": 1, "d": 1}
