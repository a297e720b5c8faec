"""Single files of a model or a dataset: in a folder, or on the Hub. The Hub's client is imported for these only."""

from __future__ import annotations

from pathlib import Path

from u2u_hf.hub.source import require_source
from u2u_hf.records import U2UError


def optional_file(source: str, name: str, kind: str = "model") -> Path | None:
    """Return the path of a model's file, downloaded if the model is on the Hub; None if the model lacks it.

    Where the Hub cannot be reached, or does not give the file, it is what was downloaded before, or None.

    Args:
        kind: ``model`` or ``dataset``.

    Raises:
        U2UError: `source` is neither a folder nor on the Hub, or may not be read.
    """
    require_source(source, kind)
    if Path(source).is_dir():
        return path if (path := Path(source, name)).is_file() else None
    return _downloaded(source, name, kind)


def _downloaded(source: str, name: str, kind: str) -> Path | None:
    from huggingface_hub import errors, hf_hub_download, try_to_load_from_cache

    from u2u_hf.hub.problems import loading_problem

    try:
        return Path(hf_hub_download(source, name, repo_type=kind))
    except Exception as error:  # of several libraries
        is_gated = isinstance(error, errors.GatedRepoError)
        is_unknown = isinstance(error, (errors.RepositoryNotFoundError, errors.RevisionNotFoundError)) and not is_gated
        if isinstance(error, (errors.EntryNotFoundError, errors.HfHubHTTPError)) and not is_unknown:
            cached = try_to_load_from_cache(source, name, repo_type=kind)
            return Path(cached) if isinstance(cached, str) else None
        raise U2UError(f"{source}: cannot be loaded: {loading_problem(source, kind, error)}") from error
