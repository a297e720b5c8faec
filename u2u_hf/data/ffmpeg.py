"""Sound in formats that libsndfile does not open (m4a, mp4, mov, mkv, wma…), read with FFmpeg through PyAV.

PyAV's wheel contains FFmpeg's libraries, so nothing has to be installed on the system.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import time
from collections.abc import Iterator

import av
import numpy as np

from u2u_hf.formats.encodings import open_regular

_LEAD_SECONDS = 0.5  # decoders need some packets before their first correct sample
# FFmpeg searches a damaged Matroska or AVI file to its end, which took minutes for 20 GB.
_OPENING_SECONDS = 30.0
# FFmpeg's names of the allowed formats: those with sound that open no other file. Playlists and scripts (hls, concat,
# dash, sdp, imf, …) name other files and servers; image and subtitle formats look for files beside them.
_FORMATS = """
    aa3 aac ac3 act aiff amr amrnb amrwb ape asf asf_o au avi avr caf dsf dss dts dtshd dv eac3 flac flv gxf iff ircam
    loas matroska,webm mlp mov,mp4,m4a,3gp,3g2,mj2 mp3 mpc mpc8 mpeg mpegts mxf nistsphere nut nuv ogg oma pva qcp rm
    shn sox tak truehd tta ty voc vqf w64 wav wsd wtv wv xwma
""".split()
_OPTIONS = {
    "format_whitelist": ",".join(_FORMATS),
    # No protocol is called none: the file is already open, and other files that it names must not be.
    "protocol_whitelist": "none",
}
_PLAYLIST = re.compile(
    rb"#EXTM3U|ffconcat version|\[(playlist|reference)\]|v=0\r?\n|(file|https?|mmsh?|rtsp|rtmp)://"
    rb"|(<[?!][^>]*>\s*)*<(MPD|SmoothStreamingMedia|smil|asx|playlist|[?]wpl|([a-z]+:)?CompositionPlaylist)\b",
    re.IGNORECASE,
)


class RefusedError(ValueError):
    """An error for files that are refused unread; the message follows the file's name."""


class _File(io.FileIO):
    """A file that seems to end at its deadline.

    FFmpeg calls its interrupt callback only for files that it opened itself (PyAV 16 to 18), and PyAV might raise an
    exception from here later, when the next file is opened.
    """

    deadline = math.inf
    late = False

    def read(self, size: int = -1) -> bytes:
        if time.monotonic() > self.deadline:
            self.late = True
            return b""
        return super().read(size)


def header(path: str) -> tuple[int, int, int]:
    """Return the first audio stream's sampling rate in Hz, its channels, and its samples per channel.

    Time 0 is the beginning of the file; the timestamps of camcorders begin at 1 s or later.

    Raises:
        RefusedError: a playlist, or a file that takes too long to open.
        U2UError: not a regular file.
        ValueError: not a media file, or without sound.
    """
    with _open(path) as media:
        stream = media.streams.audio[0]
        if stream.duration is not None:
            seconds = float(((stream.start_time or 0) + stream.duration) * stream.time_base) - _beginning(media)
        elif media.duration is not None:
            seconds = media.duration / av.time_base
        else:
            seconds = sum(frame.samples for frame in media.decode(stream)) / stream.rate
        return stream.rate, stream.channels, int(seconds * stream.rate)


def read(path: str, begin: int, stop: int) -> np.ndarray:
    """Return samples [begin, stop) as float32 [C, N], by seeking; samples that the file lacks are 0.

    Raises:
        U2UError: not a regular file.
        ValueError: the file cannot be opened or decoded.
    """
    with _open(path) as media:
        stream = media.streams.audio[0]
        resampler = av.AudioResampler(format="fltp", rate=stream.rate)
        samples = np.zeros((stream.channels, max(0, stop - begin)), dtype=np.float32)
        beginning = _beginning(media)
        if begin > 0:
            seconds = beginning + max(0, begin / stream.rate - _LEAD_SECONDS)
            media.seek(int(seconds / stream.time_base), stream=stream)
        for frame in media.decode(stream):
            at = round((float((frame.pts or 0) * frame.time_base) - beginning) * stream.rate)
            if at >= stop:
                break
            for part in resampler.resample(frame):
                _place(samples, part.to_ndarray(), at - begin)
        return samples


def _beginning(media) -> float:
    """Return the timestamp of the file's beginning, in seconds. Negative times are for the decoder only."""
    return max(0, media.start_time or 0) / av.time_base


@contextlib.contextmanager
def _open(path: str) -> Iterator[av.container.InputContainer]:
    """Open the file in Python, because FFmpeg takes some paths for URLs: `http:/a.m4a`, `concat:a.m4a|b.m4a`.

    This is at most 1 % slower, for 200 stretches of 3 s from 10 minutes of AAC or Opus.
    """
    with open_regular(path, _File) as file:
        if _PLAYLIST.match(file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()):
            raise RefusedError("is a playlist, which names other files: give the recording itself")
        file.seek(0)
        file.deadline = time.monotonic() + _OPENING_SECONDS
        try:
            media = av.open(file, options=_OPTIONS)
        except (av.FFmpegError, OSError) as error:
            raise _too_late() if file.late else ValueError(str(error)) from error
        with media:
            if file.late:
                raise _too_late()
            file.deadline = math.inf
            # FFmpeg guesses from the name: text.flac has an audio stream without a rate.
            if not media.streams.audio or not media.streams.audio[0].rate:
                raise ValueError("no sound in it")
            try:
                yield media
            except (av.FFmpegError, OSError) as error:
                raise ValueError(str(error)) from error


def _too_late() -> RefusedError:
    return RefusedError(f"cannot be opened within {_OPENING_SECONDS:g} s, so it may be damaged: convert it to WAV")


def _place(samples: np.ndarray, part: np.ndarray, at: int) -> None:
    first, end = max(0, at), min(samples.shape[1], at + part.shape[1])
    if first < end:
        samples[:, first:end] = part[:, first - at : end - at]
