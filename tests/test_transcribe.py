import json
import os

import numpy as np
import pytest
import soundfile

from u2u_hf import outputs
from u2u_hf.audio import audio_info
from u2u_hf.eaf import read_eaf
from u2u_hf.recognizer import Recognizer
from u2u_hf.records import Segment, Transcript, U2UError, Word
from u2u_hf.transcribe import find_speech, in_words, recordings_in, transcribe, transcribe_all
from u2u_hf.vad import VadSettings


@pytest.fixture(scope="module")
def recognizer(random_model):
    return Recognizer(random_model)


@pytest.fixture(scope="module")
def recording(demo_folder):
    return next((demo_folder / "new_recordings").glob("*.wav"))


def test_speech_is_found_where_the_speakers_of_each_channel_speak(demo_folder):
    """Every annotated stretch is found on its speaker's channel, and next to nothing of it on the other."""
    channels = json.loads((demo_folder / "reference" / "channels.json").read_text(encoding="utf-8"))
    found = 0
    for path in sorted((demo_folder / "corpus" / "audio").glob("*.wav")):
        speech = find_speech(audio_info(path), VadSettings())
        document = read_eaf(next((demo_folder / "corpus" / "elan").glob(f"{path.stem}*.eaf")))
        for tier in document.tiers:
            if tier.linguistic_type != "transcription":
                continue
            spoken = [a for a in tier.annotations if a.value]
            total = sum(a.end_ms - a.start_ms for a in spoken)
            own = channels[path.stem][tier.participant]
            for channel, spans in enumerate(speech.spans):
                common = sum(
                    max(0, min(a.end_ms, end) - max(a.start_ms, start)) for a in spoken for start, end in spans
                )
                assert (common > 0.95 * total) if channel == own else (common < 0.1 * total)
            found += 1
    assert found == 8


def test_a_transcript_has_its_segments_in_order_with_their_words_inside(recording, recognizer):
    transcript = transcribe(recording, recognizer)
    assert transcript.channels == 2
    assert {s.channel for s in transcript.segments} == {0, 1}
    for before, after in zip(transcript.segments, transcript.segments[1:], strict=False):
        assert (before.channel, before.end_ms) <= (after.channel, after.start_ms) or before.channel < after.channel
    for segment in transcript.segments:
        assert segment.text == " ".join(w.text for w in segment.words)
        assert all(segment.start_ms <= w.start_ms < w.end_ms <= segment.end_ms for w in segment.words)
        assert 0 <= segment.confidence <= 1


def test_the_same_sound_on_both_channels_is_transcribed_once(recording, recognizer, tmp_path):
    samples, rate = soundfile.read(recording)
    soundfile.write(tmp_path / "same.wav", np.stack([samples[:, 0]] * 2, 1), rate)
    transcript = transcribe(tmp_path / "same.wav", recognizer)
    assert {s.channel for s in transcript.segments} == {0}
    assert "all channels are the same" in transcript.note


def test_silence_has_no_segments(recognizer, tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000 * 3), 16_000)
    assert transcribe(tmp_path / "silence.wav", recognizer).segments == ()


TRANSCRIPT = Transcript(
    "a.wav",
    10_000,
    2,
    (
        Segment(0, 500, 2500, "ña¹ ab", 0.8, (Word("ña¹", 480, 900, 0.9), Word("ab", 1000, 2510, 0.7))),
        Segment(0, 4000, 5000, "", 0.0),
        Segment(1, 2000, 3250, "<b> & c", 0.5, (Word("<b>", 2000, 2000, 0.5), Word("&", 2100, 2200, 0.5))),
    ),
)


def test_the_eaf_has_a_tier_of_segments_and_one_of_words_for_each_channel(tmp_path):
    audio = tmp_path / "sonido ñ" / "a.wav"
    transcript = Transcript(str(audio), *[getattr(TRANSCRIPT, f) for f in ("duration_ms", "channels", "segments")])
    outputs.write(transcript, outputs.planned(tmp_path / "out" / "a", ["eaf"]))
    document = read_eaf(tmp_path / "out" / "a.eaf")
    assert [(t.name, t.linguistic_type, t.parent) for t in document.tiers] == [
        ("channel 1", "u2u-hf transcript", ""),
        ("channel 1 words", "u2u-hf word", "channel 1"),
        ("channel 2", "u2u-hf transcript", ""),
        ("channel 2 words", "u2u-hf word", "channel 2"),
    ]
    spans = [[(a.start_ms, a.end_ms, a.value) for a in tier.annotations] for tier in document.tiers]
    assert spans[0] == [(500, 2500, "ña¹ ab"), (4000, 5000, "")]
    assert spans[1] == [(500, 900, "ña¹"), (1000, 2500, "ab")]  # words are kept inside their segment
    assert spans[2] == [(2000, 3250, "<b> & c")]
    assert spans[3] == [(2100, 2200, "&")]
    assert document.media[0].urls == (f"file://{audio}", "../sonido ñ/a.wav")  # as ELAN writes them: nothing encoded


def test_every_format_is_written(tmp_path):
    files = outputs.planned(tmp_path / "a.b", list(outputs.FORMATS))
    outputs.write(TRANSCRIPT, files)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        f"a.b.{suffix}" for suffix in ("eaf", "TextGrid", "srt", "vtt", "tsv", "json", "txt")
    )
    assert json.loads(files["json"].read_text(encoding="utf-8"))["segments"][0]["words"][0]["text"] == "ña¹"


def test_formats_that_are_none_are_named():
    assert outputs.parse_formats("eaf, SRT") == ["eaf", "srt"]
    with pytest.raises(U2UError, match="'doc' is not one of eaf,textgrid"):
        outputs.parse_formats("eaf,doc")


def test_a_bad_file_does_not_stop_the_rest_and_what_is_done_stays(recording, recognizer, tmp_path):
    folder = tmp_path / "recordings" / "sub"
    folder.mkdir(parents=True)
    os.link(recording, folder / "good.wav")
    (folder / "broken.wav").write_bytes(b"RIFF")
    found = recordings_in([tmp_path / "recordings"])
    assert [name.as_posix() for _, name in found] == ["sub/broken", "sub/good"]

    def run(formats=("eaf",), **settings):
        return transcribe_all(found, recognizer, tmp_path / "out", formats, VadSettings(), **settings)

    broken, good = run()
    assert "broken.wav: not a sound file" in broken.problem
    assert good.files == (tmp_path / "out" / "sub" / "good.eaf",)
    assert "! skipped" in in_words([broken, good])
    before = good.files[0].read_bytes()
    assert "was there already" in run()[1].note
    assert "add --overwrite true" in run(("eaf", "srt"))[1].problem
    assert good.files[0].read_bytes() == before
    assert run(("eaf", "srt"), overwrite=True)[1].problem == ""


def test_recordings_that_cannot_be_told_apart_are_refused(tmp_path):
    for name in ("a.wav", "a.flac"):
        (tmp_path / name).touch()
    with pytest.raises(U2UError, match=r"a\.wav: its transcript would be a, as that of .*a\.flac"):
        recordings_in([tmp_path])
    with pytest.raises(U2UError, match="there is no such file or folder"):
        recordings_in([tmp_path / "gone"])
    (tmp_path / "none").mkdir()
    with pytest.raises(U2UError, match="none: no recording"):
        recordings_in([tmp_path / "none"])
