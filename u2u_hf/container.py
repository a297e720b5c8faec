"""Sound in the containers that libsndfile does not open (m4a, mp4, mov, mkv, wma…), through PyAV.

PyAV's wheel brings FFmpeg's libraries along, so nothing has to be installed on the system.
"""

from __future__ import annotations

import av
import numpy as np

_LEAD_SECONDS = 0.5  # decoders need some packets before the first sample is right


def header(path: str) -> tuple[int, int, int]:
    """(sampling rate in Hz, channels, samples per channel) of the first sound in the file.

    Time 0 is the file's own beginning, whatever its clock shows there: camcorders' begin at a second or later.

    Raises:
        ValueError: no container, or none with sound.
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
    """Samples [begin, stop) as float32 [C, N], by seeking; what the file lacks is silent.

    Raises:
        ValueError: the file cannot be decoded.
    """
    with _open(path) as media:
        stream = media.streams.audio[0]
        resampler = av.AudioResampler(format="fltp", rate=stream.rate)
        samples = np.zeros((stream.channels, max(0, stop - begin)), dtype=np.float32)
        beginning = _beginning(media)
        if begin > 0:
            seconds = beginning + max(0, begin / stream.rate - _LEAD_SECONDS)
            media.seek(int(seconds / stream.time_base), stream=stream)
        try:
            for frame in media.decode(stream):
                at = round((float((frame.pts or 0) * frame.time_base) - beginning) * stream.rate)
                if at >= stop:
                    break
                for part in resampler.resample(frame):
                    _place(samples, part.to_ndarray(), at - begin)
        except av.FFmpegError as error:
            raise ValueError(str(error)) from error
        return samples


def _beginning(media) -> float:
    """What the file's clock shows at its beginning, in seconds; before 0 is what decoders need and nobody hears."""
    return max(0, media.start_time or 0) / av.time_base


def _open(path: str):
    try:
        media = av.open(path)
    except (av.FFmpegError, OSError) as error:
        raise ValueError(str(error)) from error
    if not media.streams.audio or not media.streams.audio[0].rate:  # FFmpeg believes in the name of a text.flac
        media.close()
        raise ValueError("no sound in it")
    return media


def _place(samples: np.ndarray, part: np.ndarray, at: int) -> None:
    first, end = max(0, at), min(samples.shape[1], at + part.shape[1])
    if first < end:
        samples[:, first:end] = part[:, first - at : end - at]
