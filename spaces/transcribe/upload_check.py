"""The check of an uploaded recording before anything is computed."""

from __future__ import annotations

import os

from u2u_hf.data.audio import AudioInfo, audio_info
from u2u_hf.publishing.space_settings import SpaceVariables
from u2u_hf.records import U2UError

MAX_CHANNELS = 8


def check_upload(path: str, settings: SpaceVariables) -> AudioInfo:
    """Return the recording's format and length.

    Raises:
        U2UError: it is not a recording, or exceeds the limit of size, length or channels.
    """
    megabytes = os.path.getsize(path) / 1e6
    if megabytes > settings.max_file_mb:
        raise U2UError(f"{path}: has {megabytes:.0f} MB; the limit is {settings.max_file_mb:g}: split or compress it")
    info = audio_info(path)
    if info.duration_ms > settings.max_minutes * 60_000:
        minutes = info.duration_ms / 60_000
        raise U2UError(f"{path}: is {minutes:.1f} minutes long; the limit is {settings.max_minutes:g}: split it")
    if info.channels > MAX_CHANNELS:
        raise U2UError(f"{path}: has {info.channels} channels; the limit is {MAX_CHANNELS}: split it")
    return info
