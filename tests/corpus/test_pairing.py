"""Pairing of annotation files with recordings, by their names."""

from pathlib import Path

import pytest

from u2u_hf.corpus.pairing import (
    find_audio,
    index_audio,
    linked_audio,
    media_names,
    sound_names,
    speaker_tracks,
    worse_copies,
)
from u2u_hf.records import AnnotationDocument, Media, Tier, U2UError


def pair(annotations, audio, *media):
    """Which of `audio` belongs to the annotation file; media are a URL or (URLs…, origin_ms)."""
    media = [Media((m,)) if isinstance(m, str) else Media(m[:-1], m[-1]) for m in media]
    document = AnnotationDocument(annotations, tuple(media), ())
    found, origin_ms = find_audio(document, index_audio(map(Path, audio)))
    return found.as_posix(), origin_ms


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("file:///Users/ana/a.wav", ["a.wav"]),
        ("file:///C:/Users/Ana/a.wav", ["a.wav"]),
        ("file:C:\\Users\\Ana\\a.wav", ["a.wav"]),
        ("..\\Grabaciones de campo\\a b.wav", ["a b.wav"]),
        ("./a.wav", ["a.wav"]),
        ("a.wav", ["a.wav"]),
        ("file:///D:/Ana%20L/Grabaci%C3%B3n%201.wav", ["Grabación 1.wav", "Grabaci%C3%B3n%201.wav"]),
        ("file:///D:/Grabación 1.wav", ["Grabación 1.wav"]),
        ("file:///D:/100%.wav", ["100%.wav"]),
        ("file:///D:/a%2Fb.wav", ["b.wav", "a%2Fb.wav"]),
        ("file:///D:/folder/", []),
        ("", []),
    ],
)
def test_names_in_media_urls(url, names):
    assert media_names(url) == names


@pytest.mark.parametrize(
    ("annotations", "audio", "media", "found"),
    [
        ("c/elan/x.eaf", ["c/audio/a.wav", "c/audio/x.wav"], ["file:///D:/a.wav"], "c/audio/a.wav"),
        ("c/x.eaf", ["c/deep/er/a.wav"], ["./a.wav"], "c/deep/er/a.wav"),
        ("c/x.eaf", ["c/a.wav"], ["file:///D:/v.mp4", "file:///D:/a.wav"], "c/a.wav"),
        ("c/x.eaf", ["c/b.wav"], [("file:///D:/a.wav", "./b.wav", 0)], "c/b.wav"),
        ("c/x.eaf", ["c/Grabación 1.wav"], ["file:///D:/Grabaci%C3%B3n%201.wav"], "c/Grabación 1.wav"),
        ("c/x.eaf", ["c/a%20b.wav", "c/a.wav"], ["file:///D:/a%20b.wav"], "c/a%20b.wav"),
        ("c/x.eaf", ["c/A.WAV"], ["file:///D:/a.wav"], "c/A.WAV"),
        ("c/x.eaf", ["c/ÑUU.wav"], ["./ñuu.WAV"], "c/ÑUU.wav"),
        ("c/x.eaf", ["c/n\u0303.wav"], ["./\u00f1.wav"], "c/n\u0303.wav"),  # a Mac's file system took it apart
        ("c/x.eaf", ["c/\u00f1.wav"], ["./n\u0303.wav"], "c/\u00f1.wav"),
        ("c/x.eaf", ["c/a.wav"], ["./a.mp4"], "c/a.wav"),  # the sound of the video
        ("c/x.eaf", ["c/a.flac", "c/x.wav"], ["./a.wav"], "c/a.flac"),  # converted for the archive
        ("c/x.eaf", ["c/x.wav"], [], "c/x.wav"),
        ("c/x.eaf", ["c/y/X.Flac"], ["./renamed.wav"], "c/y/X.Flac"),
        ("c/x.1.eaf", ["c/x.1.wav", "c/x.wav"], [], "c/x.1.wav"),
        ("c/x_ed-2025-02-12.eaf", ["c/x.wav"], [], "c/x.wav"),
        ("c/x_ED.eaf", ["c/x.wav"], [], "c/x.wav"),
        ("c/x_ed.eaf", ["c/x.wav", "c/x_ed.wav"], [], "c/x_ed.wav"),
        ("c/x_eduardo.eaf", ["c/x_eduardo.wav", "c/x.wav"], [], "c/x_eduardo.wav"),
        ("c/1/x.eaf", ["c/1/x.wav", "c/2/x.wav"], ["file:///D:/x.wav"], "c/1/x.wav"),  # the one beside it
        ("c/x.eaf", ["c/x.mp4", "c/x_zoom.wav"], ["./x.mp4", "./x_zoom.wav"], "c/x_zoom.wav"),  # the recorder's
        ("c/x.eaf", ["c/x.mp4", "c/x.wav", "c/z.wav"], ["./x.mp4", "./x.wav", "./z.wav"], "c/z.wav"),
        ("c/x.eaf", ["c/x.mp4", "c/x.wav"], ["./x.mp4"], "c/x.wav"),  # the sound of the video, beside it
        ("c/x.eaf", ["c/v/x.mp4", "c/a/x.wav"], ["./x.mp4"], "c/a/x.wav"),
        ("c/x.eaf", ["c/a.mp3", "c/b.wav"], ["./a.mp3", "./b.wav"], "c/b.wav"),
        ("c/x.eaf", ["c/a.mp3", "c/a.wav"], ["./a.mp3"], "c/a.mp3"),  # as it says
        ("c/x.eaf", ["c/a.wav", "c/b.wav"], ["./a.wav", "./b.wav"], "c/a.wav"),  # ELAN's main one
        ("c/x.eaf", ["c/x.mp4", "c/x.wav", "c/x.mp3"], [], "c/x.wav"),
        ("c/x.TextGrid", ["c/x.MP4", "c/x.flac"], [], "c/x.flac"),
        ("c/story_1.TextGrid", ["c/story 1.wav"], [], "c/story 1.wav"),
        ("c/Story_1__a_.TextGrid", ["c/story 1 (a).wav", "c/story 1.wav"], [], "c/story 1 (a).wav"),
        ("c/año_1.TextGrid", ["c/año.1.wav"], [], "c/año.1.wav"),
        ("c/story_1.TextGrid", ["c/story_1.wav", "c/story 1.wav"], [], "c/story_1.wav"),
    ],
)
def test_pairing(annotations, audio, media, found):
    assert pair(annotations, audio, *media) == (found, 0)


def test_the_origin_is_that_of_the_paired_medium():
    media = [("file:///D:/v.mp4", 7000), ("file:///D:/a.wav", -1500)]
    assert pair("c/x.eaf", ["c/a.wav"], *media) == ("c/a.wav", -1500)
    assert pair("c/x.eaf", ["c/v.wav"], *media) == ("c/v.wav", 7000)
    assert pair("c/x.eaf", ["c/x.wav"], *media) == ("c/x.wav", 7000)  # renamed: the first, ELAN's main one


def test_a_missing_recording_is_named_with_everything_that_was_tried():
    with pytest.raises(U2UError) as error:
        pair("c/x_ed.eaf", ["c/z.wav", "c/x_eduardo.wav"], ("file:///D:/a%20b.wav", "./c.wav", 0), "d.mp4")
    tried = "a b.wav, a%20b.wav, c.wav, d.mp4, a b.*, a%20b.*, c.*, d.*, x_ed.*, x.*"
    assert str(error.value) == f"c/x_ed.eaf: its audio is not in the corpus folder (looked for {tried}): copy it there"


@pytest.mark.parametrize(
    ("audio", "listed"),
    [
        (["c/1/a.wav", "c/2/a.wav", "c/b.wav"], "1/a.wav, 2/a.wav"),
        (["c/a.wav", "c/A.wav", "c/1/a.wav"], "a.wav, A.wav"),
        (["c/1/a.wav", "c/1/a.mp4", "c/2/a.wav"], "1/a.wav, 2/a.wav"),
    ],
)
def test_several_recordings_of_one_name_are_listed(audio, listed):
    with pytest.raises(U2UError) as error:
        pair("c/x.eaf", audio, "file:///D:/elsewhere/a.wav")
    assert str(error.value) == f"c/x.eaf: several recordings could be its audio: {listed}: keep one, or rename"


def test_no_folder_above_recordings_elsewhere_is_named():
    """As those of a project, whose copies of corrected transcripts lie elsewhere: reports are pushed."""
    with pytest.raises(U2UError) as error:
        pair("/home/ana/project/x.eaf", ["/media/Maria/tapes/1/x.wav", "/media/Maria/tapes/2/x.wav"])
    assert "could be its audio: 1/x.wav, 2/x.wav: keep" in str(error.value)


@pytest.mark.parametrize("written", ["../2/a.wav", "..\\2\\a.wav", "../2/./a.wav"])
def test_of_several_the_one_that_the_relative_path_leads_to_is_taken(written):
    path, _ = pair("c/1/x.eaf", ["c/1/a.wav", "c/2/a.wav"], written)
    assert path == "c/2/a.wav"


def linked(annotations, audio, *media):
    document = AnnotationDocument(annotations, tuple(Media((m,)) for m in media), ())
    return linked_audio(document, index_audio(map(Path, audio)))


def test_all_media_of_a_file_belong_to_it():
    found = linked("c/x.eaf", ["c/x.mp4", "c/z.wav", "c/other.wav"], "./x.mp4", "./z.wav", "./gone.wav")
    assert [one.path.as_posix() for one in found] == ["c/z.wav", "c/x.mp4"]


def test_one_name_is_ambiguous_and_another_is_not():
    assert linked("c/x.eaf", ["c/1/a.mp4", "c/2/a.mp4", "c/z.wav"], "a.mp4", "z.wav")[0].path.name == "z.wav"


@pytest.mark.parametrize(
    ("tiers", "expected"),
    [
        ([("tx@AB", ""), ("tx@CD", "")], {"tx@AB": "s0_AB.wav", "tx@CD": "s0_CD.wav"}),
        ([("A", "Ann Brown"), ("B", "cd")], {"A": "s0_AB.wav", "B": "s0_CD.wav"}),
        ([("A", "AB"), ("B", "CD"), ("C", "EF")], {"A": "s0_AB.wav", "B": "s0_CD.wav"}),
        ([("A", "AB"), ("B", "s0")], {}),  # only one of the microphones has a name
        ([("A", "Ann"), ("B", "Che")], {}),
    ],
)
def test_a_microphone_for_each_speaker(tiers, expected):
    files = linked("c/s0.eaf", ["c/s0_AB.wav", "c/s0_CD.wav", "c/s0.mp4"], "s0.mp4", "s0_AB.wav", "s0_CD.wav")
    found = speaker_tracks([Tier(name, (), participant=who) for name, who in tiers], files)
    assert {tier: one.path.name for tier, one in found.items()} == expected


def test_names_of_sounds():
    paths = ["c/a.wav", "c/a.mp4", "c/x/a_ed-2025.wav", "c/b.wav", "c/1/t.wav", "c/2/t.wav", "c/2/_ed.wav"]
    assert sound_names(paths) == dict(zip(paths, ["a", "a", "x/a", "b", "1/t", "2/t", "_ed"], strict=True))


def test_names_of_sounds_name_no_folder_above_those_of_the_corpus():
    paths = ["/home/ana/corpus/x/a.wav", "/home/ana/corpus/b.wav", "/home/ana/new/a.wav", "/home/ana/new/y/b.wav"]
    found = sound_names(paths, ["/home/ana/corpus", "/home/ana/new"])
    assert found == dict(zip(paths, ["corpus/x/a", "corpus/b", "new/a", "new/y/b"], strict=True))
    inside = ["/home/ana/corpus/1/t.wav", "/home/ana/corpus/2/t.wav"]
    for folders in (["/home/ana/corpus"], ["/home/ana/corpus", "/home/ana/corpus/1"]):  # a file there was added
        assert list(sound_names(inside, folders).values()) == ["1/t", "2/t"]


def test_worse_copies():
    paths = list(map(Path, ["c/a.wav", "c/a.mp4", "c/1/a.mp4", "c/b.mp3", "c/b.flac", "c/d.wav", "c/d.flac"]))
    assert worse_copies(paths) == {Path("c/a.mp4"): Path("c/a.wav"), Path("c/b.mp3"): Path("c/b.flac")}


def test_a_missing_recording_with_a_name_without_end_is_one_line():
    with pytest.raises(U2UError) as error:
        pair("c/x.csv", ["c/z.wav"], (f"a\n{'A' * 70_000}.wav", 0))
    assert "(looked for a AAA" in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert len(str(error.value)) < 250


def test_a_recording_that_is_given_twice_is_one():
    assert pair("c/x.eaf", ["c/day/x.wav", "c/day/x.wav"]) == ("c/day/x.wav", 0)
