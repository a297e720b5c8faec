"""What a model or dataset is loaded from: a folder, or a name on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path

from u2u_hf.records import U2UError


def require_source(source: str, what: str) -> None:
    """Raise U2UError unless `source` is a folder or may be a name on the Hub. The Hub is not asked.

    Args:
        what: name of the source in the message: ``"model"``, ``"dataset"``.
    """
    path_like = source.startswith((".", "/", "~")) or "\\" in source or source.count("/") > 1
    if not source or (not Path(source).is_dir() and (path_like or Path(source).exists())):
        named = source or "(no name)"
        raise U2UError(f"{named}: there is no such {what} folder, and it is not a Hub name of the form OWNER/NAME")
