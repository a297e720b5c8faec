"""Damaged recordings: their headers, the sound in them, and what is cut from it."""

import av
import numpy as np
import pytest
import soundfile

from u2u_hf.data import audio
from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.records import U2UError

WITH_LIBSNDFILE = {
    "pcm16.wav": ("WAV", "PCM_16"), "float.wav": ("WAV", "FLOAT"), "ulaw.wav": ("WAV", "ULAW"),
    "adpcm.wav": ("WAV", "MS_ADPCM"), "extensible.wav": ("WAVEX", "PCM_24"), "rf64.wav": ("RF64", "PCM_16"),
    "a.w64": ("W64", "PCM_16"), "a.aiff": ("AIFF", "PCM_16"), "a.au": ("AU", "PCM_16"), "a.caf": ("CAF", "ALAC_16"),
    "a.flac": ("FLAC", "PCM_16"), "a.ogg": ("OGG", "VORBIS"), "a.opus": ("OGG", "OPUS"),
    "a.mp3": ("MP3", "MPEG_LAYER_III"),
}  # fmt: skip
WITH_FFMPEG = {
    "a.m4a": "aac", "a.mkv": "libopus", "a.wma": "wmav2", "a.mpg": "mp2", "a.avi": "pcm_s16le", "a.aac": "aac"
}  # fmt: skip
WORDS = (
    *(b"RIFF", b"RF64", b"riff", b"WAVE", b"fmt ", b"data", b"LIST", b"ds64", b"fLaC", b"OggS", b"FORM", b"AIFF"),
    b"SSND",
    *(b".snd", b"caff", b"desc", b"ID3", b"Xing", b"\xff\xfb\x90\x64", b"ftyp", b"moov", b"mdat", b"stsz", b"trak"),
    b"url ",
    *(b"\x1aE\xdf\xa3", b"#EXTM3U\n", b"ffconcat version 1.0\n", b"\x30\x26\xb2\x75"),
)


def sound(rate, seconds=0.6, channels=2):
    rng = np.random.default_rng(0)
    return (rng.standard_normal((round(rate * seconds), channels)) * 0.1).clip(-1, 1).astype(np.float32)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    for name, (kind, subtype) in WITH_LIBSNDFILE.items():
        rate = 48_000 if subtype == "OPUS" else 16_000
        soundfile.write(folder / name, sound(rate), rate, format=kind, subtype=subtype)
    for name, codec in WITH_FFMPEG.items():
        with av.open(folder / name, "w") as media:
            stream = media.add_stream(codec, rate=48_000, layout="stereo")
            stream.bit_rate = 128_000
            frame = av.AudioFrame.from_ndarray(sound(48_000).reshape(1, -1), format="flt", layout="stereo")
            frame.rate, frame.pts = 48_000, 0
            media.mux([*stream.encode(frame), *stream.encode(None)])
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def require_sound(samples, channels, most_ms):
    assert samples.dtype == np.float32
    assert samples.shape[0] == channels
    assert samples.shape[1] <= most_ms * SAMPLING_RATE // 1000
    assert np.isfinite(samples).all()


def use(folder, name):
    path = folder / name
    info = audio.audio_info(path)
    assert info.sampling_rate > 0 < info.frames
    parts, refusals = [], []
    # As a preparation and a transcription read: anywhere, one channel, and from the beginning block by block.
    for start_ms in (0, info.duration_ms // 2, max(0, info.duration_ms - 1000)):
        try:
            parts.append(audio.read_audio(info, start_ms, start_ms + 1000, [info.channels - 1])[0])
            require_sound(parts[-1][None], 1, 1000)
            assert np.isfinite(audio.energy(str(path), [(start_ms, start_ms + 100)])).all()
        except U2UError as refusal:
            refusals.append(refusal)
    for part in filter(len, parts):
        assert len(audio.decode_mono(audio.flac_bytes(part))) == len(part)
    for number, (_, block) in enumerate(audio.blocks(info, 1)):
        require_sound(block, info.channels, 1000)
        if number == 3:  # a length that a damaged header makes up
            break
    for refusal in refusals:
        raise refusal


def test_a_damaged_recording_is_read_or_named(fuzz, recordings):
    fuzz(use, recordings, words=WORDS, examples=250)
