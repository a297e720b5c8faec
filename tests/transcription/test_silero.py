import numpy as np
import pytest
import soundfile

from u2u_hf.transcription.silero import SileroChannel, SileroDetector


def test_detector_hears_speech_and_is_the_same_in_blocks(new_recording):
    samples = soundfile.read(new_recording, dtype="float32", always_2d=True)[0][::3, 0][: 512 * 400]
    whole = SileroChannel().add(samples)
    detector = SileroChannel()
    blocks = np.concatenate([detector.add(samples[i : i + 5120]) for i in range(0, len(samples), 5120)])
    assert whole == pytest.approx(blocks, abs=1e-4)
    assert whole.max() > 0.9
    assert whole[: 512 * 8 // 512].max() < 0.5  # the demo begins with 0.5 s of room noise


def test_detector_is_silero():
    """The same probabilities as the silero-vad package's own wrapper gives."""
    import torch
    from silero_vad import load_silero_vad

    rng = np.random.default_rng(0)
    t = np.arange(512 * 60) / 16_000
    samples = (np.sin(2 * np.pi * 150 * t) * (np.sin(2 * np.pi * 3 * t) > 0) * 0.3).astype(np.float32)
    samples += 0.01 * rng.standard_normal(len(samples), dtype=np.float32)
    theirs = load_silero_vad(onnx=True).audio_forward(torch.from_numpy(samples), 16_000)[0].numpy()
    assert SileroChannel().add(samples) == pytest.approx(theirs, abs=1e-3)


def test_the_channels_of_a_recording_are_apart(new_recording):
    samples = soundfile.read(new_recording, dtype="float32", always_2d=True)[0][::3].T[:, : 512 * 100]
    detector = SileroDetector(2)
    for start in range(0, samples.shape[1], 5120):
        detector.add(samples[:, start : start + 5120])
    alone = np.stack([SileroChannel().add(channel) for channel in samples])
    assert detector.probabilities() == pytest.approx(alone, abs=1e-4)
