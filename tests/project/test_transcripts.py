"""Transcripts as the editor opens and saves them, with the ELAN files that transcribe.py writes."""

import re
import shutil

import numpy as np
import pytest
import soundfile

from u2u_hf.formats import writers
from u2u_hf.formats.eaf import read_eaf, write_eaf
from u2u_hf.project import transcripts
from u2u_hf.project.folder import Project
from u2u_hf.records import CORRECTED_TYPE, SEGMENT_TYPE, Annotation, Tier, U2UError


@pytest.fixture
def project(tmp_path):
    (tmp_path / "corpus").mkdir()
    project = Project(tmp_path / "project")
    project.set_paths(tmp_path / "corpus")
    return project


def sound(path, channels=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full((16_000, channels), 0.5, dtype=np.float32), 16_000)
    return path


def transcript(path, media, *texts):
    """One tier for each channel, with one annotation."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tiers = [
        Tier(f"channel {number}", (Annotation(0, 500, text),), SEGMENT_TYPE) for number, text in enumerate(texts, 1)
    ]
    write_eaf(path, tiers, media, writers.CONSTRAINTS, spare_types=[CORRECTED_TYPE])
    return path


def texts(path):
    return {tier.name: [a.value for a in tier.annotations] for tier in read_eaf(path).tiers}


def test_what_another_window_wrote_is_not_overwritten(project):
    path = transcript(project.transcripts / "a.eaf", [sound(project.corpus / "a.wav")], "ña")
    first = transcripts.version_of(path)
    (segment,) = transcripts.opened(project, path)["segments"]
    assert transcripts.save(path, [segment | {"text": "ku"}], first)
    assert transcripts.version_of(path) != first
    with pytest.raises(U2UError, match=r"a\.eaf: was changed by another program or window since it was opened"):
        transcripts.save(path, [segment | {"text": "wa"}], first)
    assert texts(path) == {"channel 1": ["ku"]}
    assert transcripts.save(path, [segment | {"text": "wa"}], transcripts.version_of(path))
    assert texts(path) == {"channel 1": ["wa"]}


def test_a_transcript_keeps_its_key_while_others_come(project):
    path = transcript(project.transcripts / "s2" / "b.eaf", [], "ña")
    key = transcripts.key_of(project, path)
    transcript(project.transcripts / "s1" / "b.eaf", [], "ku")
    assert transcripts.all_of(project)[0] != path
    assert transcripts.of_key(project, key) == path
    path.unlink()
    assert transcripts.of_key(project, key) is None


def test_a_channel_that_the_recording_lacks_is_kept(project):
    """As of a stereo recording that was replaced by a mono one."""
    path = transcript(project.transcripts / "a.eaf", [sound(project.corpus / "a.wav")], "ña", "ku")
    opened = transcripts.opened(project, path)
    assert opened["channels"] == 2
    peaks = transcripts.peaks_of(transcripts.sound_of(project, path), opened["channels"])
    assert [max(row) for row in peaks] == [255, 0]
    assert [(s["channel"], s["text"]) for s in opened["segments"]] == [(0, "ña"), (1, "ku")]
    transcripts.save(
        path, [opened["segments"][0] | {"text": "wa"}, opened["segments"][1]], transcripts.version_of(path)
    )
    assert texts(path) == {"channel 1": ["wa"], "channel 2": ["ku"]}


@pytest.mark.parametrize("linked", ["both", "absolute", "relative", "encoded", "none"])
def test_of_recordings_with_one_name_the_linked_one_is_taken(project, linked):
    media = [sound(project.corpus / session / "a 001.wav") for session in ("s1", "s2", "s3")]
    path = transcript(project.transcripts / "s3" / "a 001.eaf", [media[1]], "ña")
    text = path.read_text(encoding="utf-8")
    if linked == "encoded":
        text = text.replace("a 001.wav", "a%20001.wav")
    if linked in ("absolute", "none"):
        text = re.sub(r' RELATIVE_MEDIA_URL="[^"]*"', "", text)
    if linked in ("relative", "none"):
        text = re.sub(r' MEDIA_URL="[^"]*"', ' MEDIA_URL="file:///C:/else/a 001.wav"', text)
    path.write_text(text, encoding="utf-8")
    assert transcripts.sound_of(project, path) == media[2 if linked == "none" else 1]


def test_a_linked_name_comes_before_the_transcripts_own(project):
    sound(project.corpus / "a.wav")
    other = sound(project.corpus / "z.wav")
    path = transcript(project.transcripts / "a.eaf", [project.folder / "elsewhere" / "z.wav"], "ña")
    assert transcripts.sound_of(project, path) == other
    other.unlink()
    assert transcripts.sound_of(project, path) == project.corpus / "a.wav"
    (project.corpus / "a.wav").unlink()
    with pytest.raises(U2UError, match=r"a\.eaf: its recording is not in the project's folders"):
        transcripts.sound_of(project, path)


def test_a_peak_is_the_loudest_sample_of_its_hundredth_of_a_second(project):
    path = project.corpus / "a.wav"
    samples = np.zeros((48_000, 2), dtype=np.int16)
    samples[[0, 479, 480, 47_999], 0] = [1, -20_000, 10_000, 5_000]
    samples[24_000, 1] = -32_768
    soundfile.write(path, samples, 48_000)
    left, right = transcripts.peaks_of(path, 2)
    assert {at: level for at, level in enumerate(left) if level} == {0: 155, 1: 77, 99: 38}  # of 255 at the loudest
    assert {at: level for at, level in enumerate(right) if level} == {50: 255}
    soundfile.write(path, samples[:4_800], 48_000)  # another recording of the same name
    assert [len(row) for row in transcripts.peaks_of(path, 2)] == [10, 10]


def test_a_recording_that_ends_before_its_header_says_has_peaks(project):
    path = project.corpus / "a.mp3"
    soundfile.write(path, np.tile([0.5, -0.5], 8_000 * 20), 16_000)
    path.write_bytes(path.read_bytes()[: -path.stat().st_size // 40])
    (row,) = transcripts.peaks_of(path, 1)
    assert row[0] > 0 == row[-1]


def test_what_is_not_finished_is_no_transcript(project):
    path = transcript(project.transcripts / "a.eaf", [], "ña")
    shutil.copyfile(path, path.with_name(".12.new.b.eaf"))
    assert transcripts.all_of(project) == [path]
