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
        rate = tracks[0].rate
        channels = sum(track.channels for track in tracks)
        if media.format.name in _WITHOUT_LENGTH:
            packets = media.demux(tracks[0])
            seconds = float(sum(packet.duration or 0 for packet in packets) * tracks[0].time_base)
        elif any(track.duration is not None for track in tracks):
            ends = [((t.start_time or 0) + t.duration) * t.time_base for t in tracks if t.duration is not None]
            seconds = float(max(ends)) - _beginning(media)
        elif media.duration is not None:
            seconds = media.duration / av.time_base
        else:
            seconds = sum(frame.samples for frame in media.decode(tracks[0])) / rate
        return rate, channels, math.floor(round(seconds * rate, 3))


def read(path: str, begin: int, stop: int) -> np.ndarray:
    """Return samples [begin, stop) as float32 [C, N], by seeking; samples that the file lacks are 0.

    Raises:
        U2UError: not a regular file.
        ValueError: the file cannot be opened or decoded.
    """
    with _open(path) as media:
        tracks = _tracks(media)
        rate = tracks[0].rate
        places = {}
        channels = 0
        for track in tracks:
            places[track.index] = _Place(slice(channels, channels + track.channels), rate)
            channels += track.channels
        samples = np.zeros((channels, max(0, stop - begin)), dtype=np.float32)
        beginning = _beginning(media)
        if begin > 0:
            seconds = beginning + max(0, begin / rate - _LEAD_SECONDS)
            media.seek(int(seconds / tracks[0].time_base), stream=tracks[0])
        for packet in media.demux(tracks):
            place = places.get(packet.stream.index)
            for frame in _decoded(packet, begin > 0 and place.next is None) if place else ():
                at = place.of(frame, beginning)
                if at >= stop:
                    places.pop(packet.stream.index, None)
                    break
                for part in place.resampler.resample(frame):
                    _place(samples[place.rows], part.to_ndarray(), at - begin)
            if not places:
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


class _Place:
    """Where the frames of one track belong.

    Matroska and ASF round times to a millisecond, so frames that follow each other seem to overlap or to leave a gap:
    frames that touch but for the rounding are joined.
    """

    def __init__(self, rows: slice, rate: int):
        self.rows, self.rate = rows, rate
        self.resampler = av.AudioResampler(format="fltp", rate=rate)
        self.next: int | None = None

    def of(self, frame: av.AudioFrame, beginning: float) -> int:
        """Return the place of a frame's first sample, counted from the file's beginning."""
        at = round((float((frame.pts or 0) * frame.time_base) - beginning) * self.rate)
        rounding = 1 + float(frame.time_base) * self.rate
        if self.next is not None and abs(at - self.next) <= rounding:
            at = self.next
        self.next = at + frame.samples
        return at


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
    tracks = list(media.streams.audio)
    if all(track.channels == 1 and track.rate == tracks[0].rate for track in tracks):
        return tracks
    return tracks[:1]


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
