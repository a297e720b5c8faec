from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import soundfile

from u2u_hf.data.audio import audio_info
from u2u_hf.evaluation.metrics import error_rates
from u2u_hf.frames import frame_count
from u2u_hf.recognition.decoding import Labels
from u2u_hf.records import Segment
from u2u_hf.transcription.detectors import DETECTORS
from u2u_hf.transcription.segmentation import find_speech
from u2u_hf.transcription.transcribe import recognise_words, transcribe
from u2u_hf.transcription.voice_detection import VadSettings
from u2u_hf.transcription.word_detector import WordDetector


def common(a, b):
    """How long two segments are at once on one channel, in ms."""
    return max(0, min(a.end_ms, b.end_ms) - max(a.start_ms, b.start_ms)) if a.channel == b.channel else 0


def test_windows_over_everything_find_the_speech_that_silero_finds(new_recording, recognizer):
    """The synthetic voices are clear speech: none of it may be missed. (This small model hears words in noise, too.)"""
    info = audio_info(new_recording)
    shares = []
    words = find_speech(info, VadSettings(), partial(WordDetector, recognizer), shares.append).segments
    assert sum(shares) == pytest.approx(1, abs=0.01)
    speech = find_speech(info, VadSettings()).segments
    assert speech
    for segment in speech:
        assert max(common(segment, other) for other in words) > 0.8 * (segment.end_ms - segment.start_ms)


class Loudness:
    """Takes each loud stretch for a word "a", but as a model needs to have heard what was before: a second of it."""

    labels = Labels(("<pad>", "|", "a"))
    parallel_calls = 2

    def __init__(self):
        self.seconds = 0.0

    def log_probs(self, samples):
        self.seconds += len(samples) / 16_000
        frames = range(frame_count(len(samples)))
        loud = [frame > 50 and samples[320 * frame + 40 : 320 * frame + 360].std() > 0.05 for frame in frames]
        return np.log(np.where(np.array(loud)[:, None], [0.1, 0.1, 0.8], [0.1, 0.8, 0.1])).astype(np.float32)


def test_words_at_the_edge_of_a_block_are_found(tmp_path):
    loud = [(2000, 3000), (63_000, 64_040), (79_900, 81_000), (95_000, 98_000), (127_980, 129_000)]  # blocks of 64 s
    samples = np.zeros(134 * 16_000)
    for start, end in loud:
        samples[start * 16 : end * 16] = 0.3 * np.random.default_rng(0).standard_normal((end - start) * 16)
    soundfile.write(tmp_path / "a.wav", samples, 16_000)
    settings = VadSettings(pad_ms=0, min_silence_ms=0)
    recognizer = Loudness()
    found = find_speech(audio_info(tmp_path / "a.wav"), settings, partial(WordDetector, recognizer))
    spans = [(s.start_ms, s.end_ms) for s in found.segments]
    assert np.abs(np.array(spans) - loud).max() <= 20 + 32  # frames of both
    # Everything is recognised once, in windows of 20 s that overlap by 4 s, and the transcript takes it from there.
    assert recognizer.seconds == pytest.approx(134 + 4 * 8, abs=5)
    recognised = recognizer.seconds
    transcript = transcribe(tmp_path / "a.wav", found, recognizer, recognise_words(recognizer.labels))
    assert recognizer.seconds == recognised
    assert [s.text for s in transcript.segments] == ["a"] * len(loud)
    words = [(word.start_ms, word.end_ms) for s in transcript.segments for word in s.words]
    assert np.abs(np.array(words) - loud).max() <= 20


def test_what_is_recognised_once_is_what_a_second_pass_would_write(new_recording, recognizer):
    """The words of the windows, with sound on both sides of each segment, are the segments' own or better."""
    found = find_speech(audio_info(new_recording), VadSettings(), partial(DETECTORS["words"], recognizer))
    once, twice = (
        transcribe(new_recording, segmentation, recognizer, recognise_words(recognizer.labels)).segments
        for segmentation in (found, replace(found, log_probs=None))
    )
    texts = [" ".join(s.text for s in segments) for segments in (once, twice)]
    assert error_rates(texts[:1], texts[1:])["cer"] < 0.2
    for segment in once:
        assert segment.text == " ".join(word.text for word in segment.words)
        assert all(segment.start_ms <= word.start_ms < word.end_ms <= segment.end_ms for word in segment.words)


def test_a_segment_has_the_frames_inside_it():
    class Numbers:
        labels = Labels(("<pad>", "|"))
        parallel_calls = 1

        def log_probs(self, samples):  # of each frame, which one it is
            first = round(float(samples[0]) * 50)
            return np.array([[first + i, 0.0] for i in range(frame_count(len(samples)))], dtype=np.float32)

    detector = WordDetector(Numbers(), 2)
    seconds = np.repeat(np.arange(30, dtype=np.float32), 16_000)  # each sample says its second
    detector.add(np.stack([seconds, seconds]))
    assert detector.probabilities().shape == (2, -(-30 * 16_000 // 512))
    # Frame i stands for 20·i + 2 to 20·i + 22 ms.
    for start_ms, end_ms, frames in (
        (0, 1000, range(49)),
        (990, 1050, range(50, 52)),
        (29_900, 30_000, range(1495, 1499)),
    ):
        rows, begins_ms = detector.log_probs(Segment(1, start_ms, end_ms))
        assert rows[:, 0].tolist() == list(frames)
        assert begins_ms == 20 * frames[0]
