"""What a model or dataset is loaded from: a folder, or a name on the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path

from u2u_hf.model_folder import CONFIG
from u2u_hf.records import U2UError


def require_source(source: str, what: str) -> None:
    """Raise U2UError unless `source` is a folder or may be a name on the Hub. The Hub is not asked.

    Args:
        what: name of the source in the message: ``"model"``, ``"dataset"``. A folder of the other kind is refused.
    """
    folder = Path(source)
    path_like = source.startswith((".", "/", "~")) or "\\" in source or source.count("/") > 1
    if not source or (not folder.is_dir() and (path_like or folder.exists())):
        named = source or "(no name)"
        raise U2UError(f"{named}: there is no such {what} folder, and it is not a Hub name of the form OWNER/NAME")
    if (kind := _kind(folder)) and kind != what:
        raise U2UError(f"{source}: {wrong_kind(kind, what)}")


def wrong_kind(kind: str, wanted: str) -> str:
    """Return the problem that a source is a ``dataset`` and not a ``model``, or the other way round."""
    return f"is a {kind}, not a {wanted}: give the folder of a {wanted}, or its name on the Hub"


def _kind(folder: Path) -> str:
    """Return ``"model"`` or ``"dataset"`` for a folder that is clearly one of them, else the empty string."""
    is_model = (folder / CONFIG).is_file() and any((*folder.glob("*.safetensors"), *folder.glob("pytorch_model*.bin")))
    is_dataset = any(folder.glob("*.parquet")) or any(folder.glob("data/*.parquet"))
    if is_model == is_dataset:
        return ""
    return "model" if is_model else "dataset"
