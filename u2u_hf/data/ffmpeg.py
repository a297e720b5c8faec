"""Sound in formats that libsndfile does not open (m4a, mp4, mov, mkv, wma…), read with FFmpeg through PyAV.

PyAV's wheel contains FFmpeg's libraries, so nothing has to be installed on the system.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import re
import time
from collections.abc import Iterator
from fractions import Fraction

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
# A row of packets without a header for the whole: FFmpeg guesses the length from the first packets' size.
_WITHOUT_LENGTH = ("aac", "ac3", "amr", "dts", "eac3", "loas", "mp3")
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

    def seek(self, position: int, whence: int = os.SEEK_SET, /) -> int:
        try:
            return super().seek(position, whence)
        except OSError:  # of a damaged file, before its beginning; FFmpeg knows the number, PyAV prints the exception
            return -1


def header(path: str) -> tuple[int, int, int]:
    """Return the sound's sampling rate in Hz, its channels, and its samples per channel.

    Mono tracks of one rate are channels: cameras and screen recorders write one for each microphone. Of other files,
    the first track is taken. Time 0 is the beginning of the file; the timestamps of camcorders begin at 1 s or later.

    Raises:
        RefusedError: a playlist, or a file that takes too long to open.
        U2UError: not a regular file.
        ValueError: not a media file, or without sound.
    """
    with _open(path) as media:
        tracks = _tracks(media)
        first, rate = tracks[0], tracks[0].rate
        ends = [((t.start_time or 0) + t.duration) * t.time_base for t in tracks if t.duration is not None]
        # Fractions, because a float may be less than the whole number of samples that it stands for.
        if media.format.name in _WITHOUT_LENGTH:
            seconds = sum(packet.duration or 0 for packet in media.demux(first)) * first.time_base
        elif ends:
            seconds = max(ends) - _beginning(media)
        elif media.duration is not None:
            seconds = Fraction(media.duration, av.time_base)
        else:
            seconds = Fraction(sum(frame.samples for frame in media.decode(first)), rate)
        return rate, sum(track.channels for track in tracks), int(seconds * rate)


def read(path: str, begin: int, stop: int) -> np.ndarray:
    """Return samples [begin, stop) as float32 [C, N], by seeking; samples that the file lacks are 0.

    Raises:
        U2UError: not a regular file.
        ValueError: the file cannot be opened or decoded.
    """
    with _open(path) as media:
        tracks = _tracks(media)
        rate = tracks[0].rate
        samples = np.zeros((sum(track.channels for track in tracks), max(0, stop - begin)), dtype=np.float32)
        # Either one track, or mono ones.
        rows = [samples] if len(tracks) == 1 else np.split(samples, len(tracks))
        writers = {track.index: _Writer(row, begin, rate) for track, row in zip(tracks, rows, strict=True)}
        beginning = float(_beginning(media))
        if begin > 0:
            seconds = beginning + max(0, begin / rate - _LEAD_SECONDS)
            media.seek(int(seconds / tracks[0].time_base), stream=tracks[0])
        for packet in media.demux(tracks):
            writer = writers.get(packet.stream.index)
            for frame in _decoded(packet, begin > 0 and writer.next is None) if writer else ():
                if not writer.write(frame, beginning):
                    writers.pop(packet.stream.index, None)
                    break
            if not writers:
                break
        return samples


def _decoded(packet: av.Packet, after_seeking: bool) -> list[av.AudioFrame]:
    """Decode a packet. In MPEG program streams, seeking leads into the middle of one: that one has no frames."""
    try:
        return packet.decode()
    except av.error.InvalidDataError:
        if after_seeking:
            return []
        raise


class _Writer:
    """Puts the frames of one track where they belong in `samples` [C, N], whose first is the file's sample `begin`.

    Matroska and ASF round times to a millisecond, so frames that follow each other seem to overlap or to leave a gap:
    frames that touch but for the rounding are joined.
    """

    def __init__(self, samples: np.ndarray, begin: int, rate: int):
        self._samples, self._begin, self._rate = samples, begin, rate
        self._resampler = av.AudioResampler(format="fltp", rate=rate)
        self.next: int | None = None  # the sample of the file that follows the last frame

    def write(self, frame: av.AudioFrame, beginning: float) -> bool:
        """Write what lies within the samples; return False for a frame after them."""
        at = round((float((frame.pts or 0) * frame.time_base) - beginning) * self._rate)
        rounding = 1 + float(frame.time_base) * self._rate
        if self.next is not None and abs(at - self.next) <= rounding:
            at = self.next
        self.next = at + frame.samples
        at -= self._begin
        if at >= self._samples.shape[1]:
            return False
        first, end = max(0, at), min(self._samples.shape[1], at + frame.samples)
        for part in self._resampler.resample(frame):  # as many samples: only the format is another
            if first < end:
                self._samples[:, first:end] = part.to_ndarray()[:, first - at : end - at]
        return True


def resample(signal: np.ndarray, rate: int, target: int) -> np.ndarray:
    """Return float32 [C, N] at another rate, of any ratio: FFmpeg interpolates between the phases of its filter."""
    rows = []
    for row in signal:
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=target)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(row[None], dtype=np.float32), "fltp", "mono")
        frame.sample_rate = rate
        parts = [part.to_ndarray()[0] for part in (*resampler.resample(frame), *resampler.resample(None))]
        rows.append(np.concatenate(parts) if parts else np.zeros(0, np.float32))
    return np.stack(rows)


def _tracks(media: av.container.InputContainer) -> list[av.AudioStream]:
    # FFmpeg guesses from the name: text.flac has an audio stream without a rate. What it cannot decode has no codec.
    tracks = [track for track in media.streams.audio if track.codec_context and track.rate and track.channels]
    if all(track.channels == 1 and track.rate == tracks[0].rate for track in tracks):
        return tracks
    return tracks[:1]


def _beginning(media: av.container.InputContainer) -> Fraction:
    """Return the timestamp of the file's beginning, in seconds. Negative times are for the decoder only."""
    return Fraction(max(0, media.start_time or 0), av.time_base)


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
        except MemoryError:  # PyAV's is an FFmpegError too, and no fault of the file
            raise
        except (av.FFmpegError, OSError) as error:
            raise _too_late() if file.late else ValueError(str(error)) from error
        with media:
            if file.late:
                raise _too_late()
            file.deadline = math.inf
            if not _tracks(media):
                raise ValueError("no sound in it")
            try:
                yield media
            except MemoryError:
                raise
            except (av.FFmpegError, OSError) as error:
                raise ValueError(str(error)) from error


def _too_late() -> RefusedError:
    return RefusedError(f"cannot be opened within {_OPENING_SECONDS:g} s, so it may be damaged: convert it to WAV")
