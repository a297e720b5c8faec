"""The model behind a menu entry: a folder on this computer with an export, so that pressing Start needs no network."""

from __future__ import annotations

import os
from pathlib import Path

from huggingface_hub import snapshot_download

from u2u_hf.hub.problems import loading_problem
from u2u_hf.hub.source import require_source
from u2u_hf.model_folder import FULL, NOT_FOR_RECOGNITION, ONNX, SMALL
from u2u_hf.records import U2UError


def exported_model(source: str) -> Path:
    """Return the absolute folder of an exported model; one on the Hub is downloaded, with the login that is there.

    Raises:
        U2UError: there is no such model, it may not be read, or it has no export.
    """
    require_source(source, "model")
    if os.path.isdir(source):
        folder = Path(source).resolve()
    else:
        try:
            folder = Path(snapshot_download(source, ignore_patterns=list(NOT_FOR_RECOGNITION)))
        except Exception as error:  # of several libraries
            raise U2UError(f"{source}: cannot be downloaded: {loading_problem(source, 'model', error)}") from error
    if not any((folder / ONNX / name).is_file() for name in (SMALL, FULL)):
        raise U2UError(f"{source}: has no export: run python recipes/export.py --model {source} first")
    return folder


def model_name(source: str) -> str:
    """Return the name of a model for people: the last part of its folder's path or of its name on the Hub.

    >>> model_name("ana/my_model")
    'my_model'
    """
    return os.path.basename(os.path.abspath(source)) if os.path.isdir(source) else source.rpartition("/")[2]
