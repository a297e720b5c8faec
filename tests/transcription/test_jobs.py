import os

import pytest

from u2u_hf.formats.eaf import write_eaf
from u2u_hf.records import Annotation, Tier, U2UError
from u2u_hf.transcription.jobs import TranscriptionSettings, find_jobs


def found(*recordings, **settings):
    jobs, problems = find_jobs(
        TranscriptionSettings(recordings=list(map(str, recordings)), output_dir="out", **settings)
    )
    return [job.name.as_posix() for job in jobs], [f"{problem.where}: {problem.reason}" for problem in problems]


def test_files_folders_and_patterns(tmp_path):
    for name in ("a.wav", "b/c.MP3", "b/d/e.flac", "b/.f.wav", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert found(tmp_path) == (["a", "b/c", "b/d/e"], [])
    assert found(tmp_path / "a.wav", tmp_path / "b") == (["a", "c", "d/e"], [])
    assert found(tmp_path / "*.wav", tmp_path / "b" / "**" / "*.flac") == (["a", "e"], [])
    assert found(tmp_path / "a.wav", tmp_path / "a.wav") == (["a"], [])


def test_recordings_that_are_none_or_cannot_be_told_apart_are_refused(tmp_path):
    for name in ("a.wav", "a.flac"):
        (tmp_path / name).touch()
    with pytest.raises(U2UError, match=r"a\.wav: its transcript would be a, like that of .*a\.flac"):
        found(tmp_path)
    for gone in ("gone", "*.ogg"):
        with pytest.raises(U2UError, match="there is no such file or folder"):
            found(tmp_path / gone)
    (tmp_path / "none").mkdir()
    with pytest.raises(U2UError, match="none: no recording"):
        found(tmp_path / "none")


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.wav").touch()
    scandir = os.scandir

    def guarded(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    names, (problem,) = found(tmp_path)
    assert names == ["a"]
    assert "closed: the folder cannot be read (Permission denied)" in problem


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"align": ["A"], "segments_from": ["A"], "annotations": "x"}, "give only one of them"),
        ({"align": ["A"], "windows": True, "annotations": "x"}, "give only one of them"),
        ({"align": ["A"]}, "also give --annotations"),
        ({"formats": "doc"}, "'doc' is not one of"),
        ({"annotations": "gone"}, "gone: there is no such folder"),
    ],
)
def test_settings_that_do_not_go_together(tmp_path, settings, message):
    (tmp_path / "a.wav").touch()
    with pytest.raises(U2UError, match=message):
        found(tmp_path, **settings)


@pytest.fixture
def talk(tmp_path):
    """An .eaf that links a sound of everybody and one of each speaker; a third speaker has none."""
    folder = tmp_path / "talk"
    folder.mkdir()
    sounds = [folder / name for name in ("talk.wav", "talk_AB.wav", "talk_CD.wav")]
    for path in sounds:
        path.touch()
    tiers = [Tier(f"tx@{who}", (Annotation(0, 900, "a"),), participant=who) for who in ("AB", "CD", "EF")]
    write_eaf(folder / "talk.eaf", tiers, sounds)
    return folder


@pytest.mark.parametrize("mode", ["align", "segments_from"])
@pytest.mark.parametrize(
    ("recordings", "expected"),
    [
        (["talk.wav", "talk_AB.wav", "talk_CD.wav"], {"talk.wav": "EF", "talk_AB.wav": "AB", "talk_CD.wav": "CD"}),
        (["talk_AB.wav", "talk_CD.wav"], {"talk_AB.wav": "AB EF", "talk_CD.wav": "CD"}),
        (["talk_CD.wav"], {"talk_CD.wav": "CD EF"}),
        (["talk.wav"], {"talk.wav": "AB CD EF"}),
        (["talk.wav", "talk_CD.wav"], {"talk.wav": "AB EF", "talk_CD.wav": "CD"}),
    ],
)
def test_tiers_are_heard_in_their_speakers_own_recordings(talk, mode, recordings, expected):
    """All speakers were heard in the first recording, and of the others no ELAN file was said to be there."""
    paths = [str(talk / name) for name in recordings]
    settings = TranscriptionSettings(recordings=paths, output_dir="out", annotations=str(talk), **{mode: ["tx@*"]})
    jobs, problems = find_jobs(settings)
    assert problems == []
    heard = {}
    for job in jobs:
        assert {job.own.sound_of(tier.name).audio for tier in job.own.document.tiers} == {str(job.audio)}
        heard[job.audio.name] = " ".join(tier.participant for tier in job.own.document.tiers)
    assert heard == expected
