"""Sound files to 16 kHz float32. Files are read by seeking, never whole."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import math
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import soundfile

from u2u_hf.data import ffmpeg, headers
from u2u_hf.data.resampling import resample
from u2u_hf.formats.encodings import require_regular
from u2u_hf.frames import SAMPLING_RATE
from u2u_hf.records import U2UError

# Read before and after a stretch, for the resampling filter at its ends.
_MARGIN_MS = 20
# `resample` makes a filter for each phase of the ratio: 3 GB of them for 44,101 Hz.
_MOST_PHASES = 1000
_LOWEST_RATE, _HIGHEST_RATE, _MOST_CHANNELS = 1000, 1_000_000, 256
_LOUDEST = 2.0**31  # some programs write 16-bit or 32-bit samples as floats without a change
_QUIETEST = 2.0**-8
_UNKNOWN = 2**62  # libsndfile's count of samples where the header tells none
_last = threading.local()


@dataclass(frozen=True)
class AudioInfo:
    """A sound file's header.

    Attributes:
        sampling_rate: Hz.
        frames: samples per channel at that rate.
        subtype: libsndfile's name of the encoding (``PCM_16``…), or ``container`` for files that PyAV reads.
        offset: the first sample's byte in a WAV file whose header tells a wrong length, or 0.
    """

    path: str
    sampling_rate: int
    channels: int
    frames: int
    subtype: str = ""
    offset: int = 0

    @property
    def duration_ms(self) -> int:
        return self.frames * 1000 // self.sampling_rate


def audio_info(path: str | os.PathLike[str]) -> AudioInfo:
    """Return a sound file's header, read with libsndfile (WAV, RF64, FLAC, MP3, OGG…) or else with FFmpeg.

    An unchanged file is not read again: some headers take a second, and a preparation asks for each several times.

    Raises:
        U2UError: missing, not a regular file, may not be read, not a sound file, a playlist, or without a single
            sample.
    """
    require_regular(path)
    try:
        stat = os.stat(path)
        return _header(str(path), stat.st_size, stat.st_mtime_ns)
    except OSError as error:  # no permission, a share that is gone, a file that was taken away meanwhile
        raise U2UError(f"{path}: cannot be read ({error.strerror or error})") from error


@functools.lru_cache(maxsize=10_000)  # some 300 bytes each
def _header(path: str, _size: int, _mtime_ns: int) -> AudioInfo:
    try:
        header = soundfile.info(os.path.abspath(path))
    except (soundfile.SoundFileError, OSError, TypeError) as error:  # TypeError: a .raw file has no header
        info = _by_ffmpeg(path, getattr(error, "error_string", error))  # without the path, which its message repeats
    else:
        info = _with_its_length(
            AudioInfo(path, header.samplerate, header.channels, header.frames, header.subtype), header.format
        )
    if info.frames < 1:
        raise U2UError(f"{path}: holds no sound (0 samples)")
    if not _LOWEST_RATE <= info.sampling_rate <= _HIGHEST_RATE or info.channels > _MOST_CHANNELS:
        raise U2UError(
            f"{path}: its header says {info.channels} channel(s) of {info.sampling_rate} Hz, which no recorder writes: "
            "it may be damaged: convert the original to WAV"
        )
    return info


def _by_ffmpeg(path: str, problem: object) -> AudioInfo:
    """Return the header as FFmpeg reads it; `problem` is why libsndfile does not, for the error message."""
    try:
        return AudioInfo(path, *ffmpeg.header(path), "container")
    except ffmpeg.RefusedError as refusal:
        raise U2UError(f"{path}: {refusal}") from refusal
    except ValueError as error:
        raise U2UError(f"{path}: not a sound file that can be read ({problem}): convert it to WAV") from error


def _with_its_length(info: AudioInfo, kind: str) -> AudioInfo:
    """Return a header with the length that the file has, where libsndfile believes another one.

    Of FLAC and MP3 it believes the header, which knows nothing of files that were joined to it. Where an MP3 has none,
    it guesses from the first packets' size.
    """
    if kind == "OGG" and headers.is_chained(info.path):
        raise U2UError(f"{info.path}: several Ogg recordings were joined into this file: convert it to WAV")
    if info.frames >= _UNKNOWN:  # FLAC whose encoder wrote into a pipe
        return _by_ffmpeg(info.path, "its header tells no length")
    if kind == "FLAC" and headers.is_joined_flac(info.path):
        raise U2UError(f"{info.path}: several FLAC recordings were joined into this file: convert it to WAV")
    if info.subtype == "MPEG_LAYER_III":
        return _with_counted_packets(info)
    if kind in ("WAV", "WAVEX", "RF64", "W64") and (data := headers.data_to_the_end(info.path)):
        return dataclasses.replace(info, frames=data.frames, offset=data.offset)
    return info


def _with_counted_packets(info: AudioInfo) -> AudioInfo:
    with contextlib.suppress(U2UError):
        counted = _by_ffmpeg(info.path, "")
        longer = counted.frames - info.frames
        # A second less than the header says means a file that was cut short: read_native says so.
        wrong = longer > info.sampling_rate or (
            -longer > info.sampling_rate and not headers.mp3_tells_length(info.path)
        )
        if counted.sampling_rate == info.sampling_rate and wrong:
            return counted
    return info


def _opened(info: AudioInfo) -> soundfile.SoundFile:
    """Return the file, kept open for this thread's next call: opening an MP3 of one hour takes 0.1 s."""
    path = info.path
    stat = os.stat(path)
    version = (path, stat.st_size, stat.st_mtime_ns)
    if getattr(_last, "version", None) != version:
        if info.offset:
            _last.file = soundfile.SoundFile(
                headers.FileFrom(path, info.offset),
                samplerate=info.sampling_rate,
                channels=info.channels,
                format="RAW",
                subtype=info.subtype,
                endian="LITTLE",
            )
        else:
            # The absolute path, because libsndfile takes the name - for the standard input.
            _last.file = soundfile.SoundFile(os.path.abspath(path))
        _last.version = version
    return _last.file


def read_native(info: AudioInfo, begin: int, stop: int, channels: Sequence[int] | None = None) -> np.ndarray:
    """Return samples [begin, stop) of a file at its own rate: float32 [C, N], shorter at the file's end.

    Samples that no recorder writes (NaN, infinity and beyond 32 bits, which files of floating point can hold) are 0.

    Raises:
        U2UError: the file cannot be decoded there, is truncated before, or has no such channel.
    """
    if channels is not None and max(channels) >= info.channels:
        raise U2UError(f"{info.path}: has {info.channels} channel(s), and channel {max(channels) + 1} is asked for")
    chosen = _decoded(info, begin, stop, channels)
    if chosen.dtype == np.int16:
        return chosen.astype(np.float32) / 32768
    numbers = _are_numbers(chosen)
    return np.ascontiguousarray(chosen) if numbers.all() else np.where(numbers, chosen, np.float32(0))


def has_no_numbers(info: AudioInfo, start_ms: int, end_ms: int, channel: int) -> bool:
    """Return whether a stretch holds samples that `read_native` makes 0.

    Raises:
        U2UError: as `read_native`.
    """
    if info.subtype not in ("FLOAT", "DOUBLE"):
        return False
    begin, stop = (t * info.sampling_rate // 1000 for t in (start_ms, end_ms))
    return not _are_numbers(_decoded(info, begin, stop, [channel])).all()


def _are_numbers(samples: np.ndarray) -> np.ndarray:
    return np.abs(samples) <= _LOUDEST  # False for NaN too


def _decoded(info: AudioInfo, begin: int, stop: int, channels: Sequence[int] | None) -> np.ndarray:
    """Return what the file holds: int16 of PCM_16, otherwise float32; [C, N]."""
    try:
        if info.subtype == "container":
            samples = ffmpeg.read(info.path, begin, min(stop, info.frames))
        else:
            # As in the file: converting only the wanted channel to float32 is five times as fast.
            kind = "int16" if info.subtype == "PCM_16" else "float32"
            file = _opened(info)
            # An MP3 frame may need data of earlier frames: read right after seeking, it would be silent.
            lead = min(begin, info.sampling_rate // 2) if info.subtype.startswith("MPEG") else 0
            file.seek(begin - lead)
            samples = file.read(lead + max(0, min(stop, info.frames) - begin), dtype=kind, always_2d=True).T[:, lead:]
    except (soundfile.SoundFileError, OSError, ValueError) as error:
        raise U2UError(f"{info.path}: cannot be read at {begin / info.sampling_rate:.1f} s ({error})") from error
    if not samples.shape[1] and begin < min(stop, info.frames):
        raise U2UError(
            f"{info.path}: ends before {begin / info.sampling_rate:.1f} s, and its header says "
            f"{info.duration_ms / 1000:.1f} s: it was not copied completely: copy it again"
        )
    return samples if channels is None else samples[list(channels)]


def energy(path: str, spans: Sequence[tuple[int, int]]) -> list[float]:
    """Return the energy of each channel summed over `spans` (ms), without the DC offset of each span.

    Raises:
        U2UError: the file cannot be decoded there.
    """
    info = audio_info(path)
    total = np.zeros(info.channels)
    for start_ms, end_ms in spans:
        samples = read_native(info, *(t * info.sampling_rate // 1000 for t in (start_ms, end_ms)))
        if samples.size:
            total += np.square(samples - samples.mean(1, keepdims=True)).sum(1)
    return total.tolist()


def read_audio(
    info: AudioInfo, start_ms: int = 0, end_ms: int | None = None, channels: Sequence[int] | None = None
) -> np.ndarray:
    """Return a stretch of a recording at 16 kHz.

    Args:
        end_ms: None for the end of the file; later values too.
        channels: from 0; None for all.

    Returns:
        float32 [C, N], N = 16 samples a ms.

    Raises:
        U2UError: the file cannot be decoded there, or has no such channel.
    """
    end_ms = info.duration_ms if end_ms is None else min(end_ms, info.duration_ms)
    first = max(0, start_ms - _MARGIN_MS)
    begin, stop = (t * info.sampling_rate // 1000 for t in (first, end_ms + _MARGIN_MS))
    signal = read_native(info, begin, stop, channels)
    if info.sampling_rate // math.gcd(info.sampling_rate, SAMPLING_RATE) > _MOST_PHASES:
        signal = ffmpeg.resample(signal, info.sampling_rate, SAMPLING_RATE)
    elif info.sampling_rate != SAMPLING_RATE:
        signal = resample(signal, info.sampling_rate, SAMPLING_RATE)
    per_ms = SAMPLING_RATE // 1000
    lead = (start_ms - first) * per_ms
    return signal[:, lead : lead + max(0, end_ms - start_ms) * per_ms]


def blocks(info: AudioInfo, seconds: int = 60) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the whole file in blocks of `seconds`: (start in ms, float32 [C, N]); the last one is shorter."""
    for start_ms in range(0, info.duration_ms, seconds * 1000):
        yield start_ms, read_audio(info, start_ms, start_ms + seconds * 1000)


def flac_bytes(samples: np.ndarray) -> bytes:
    """Return mono float samples [N] at 16 kHz, times `level`, as 16-bit FLAC."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples * level(samples), SAMPLING_RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def level(samples: np.ndarray) -> float:
    """Return the factor that 16 bits need to hold samples as recorders of 24 bits and of floats write them.

    Beyond -1…1 it is one by the largest, so that nothing is clipped. Of a loudest sample below -48 dBFS, 16 bits would
    keep less than 8 bits: a power of 2 that makes it 0.25 to 0.5. Else it is 1.
    """
    loudest = float(np.abs(samples).max(initial=0))
    if loudest > 1:
        return 1 / loudest
    return 2.0 ** (-1 - math.frexp(loudest)[1]) if 0 < loudest < _QUIETEST else 1.0


def decode_mono(data: bytes, where: str = "audio") -> np.ndarray:
    """Return the float32 samples [N] of a mono 16 kHz sound file.

    Args:
        data: the file's bytes.
        where: its name in error messages.

    Raises:
        U2UError: not a sound file, not mono at 16 kHz, or with NaN.
    """
    try:
        samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    except soundfile.SoundFileError as error:
        raise U2UError(f"{where}: its audio cannot be decoded ({error})") from error
    if rate != SAMPLING_RATE or samples.ndim != 1:
        raise U2UError(f"{where}: its audio is not mono at 16 kHz: prepare the dataset with recipes/prepare.py")
    if not np.isfinite(samples).all():
        raise U2UError(f"{where}: its audio contains NaN: prepare the dataset again with recipes/prepare.py")
    return samples
