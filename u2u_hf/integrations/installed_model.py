"""The model that a menu is installed for: a folder on this computer, exported to ONNX and tried once."""

from __future__ import annotations

import os
import re
from pathlib import Path

from u2u_hf.hub.source import require_source
from u2u_hf.model_folder import FULL, NOT_FOR_RECOGNITION, ONNX, SMALL
from u2u_hf.recognition import calibration, language_model
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError
from u2u_hf.settings import quoted


def checked_model(model: str) -> Path:
    """Return the absolute path of a model's folder, downloaded if the model is on the Hub; it has recognised once.

    A private model needs the login on this computer.

    Args:
        model: folder, or OWNER/NAME on the Hub.

    Raises:
        U2UError: it does not exist, may not be read, has no ONNX export, or is damaged.
    """
    if os.path.isdir(model):
        folder, output = Path(os.path.abspath(model)), ""  # not resolved: a link to the newest model stays one
    else:
        require_source(model, "model")
        folder, output = _downloaded(model), " --output_dir my_export, then give --model my_export"
    if not _is_exported(folder):
        raise U2UError(f"{model}: has no ONNX export: run recipes/export.py --model {quoted(model)}{output}")
    Recognizer(folder)  # raises if a file is missing or damaged: here rather than at the first recording
    language_model.load(str(folder))
    calibration.load(str(folder))
    return folder


def model_name(source: str) -> str:
    """Return the name of a model for people: the last part of its folder's path or of its name on the Hub.

    >>> model_name("/home/ana/my_model/"), model_name("ana/my_model")
    ('my_model', 'my_model')
    """
    if os.path.isdir(source):
        return os.path.basename(os.path.abspath(source))
    return re.split(r"[/\\]", source.rstrip("/\\"))[-1]  # also of a folder that is gone


def require_there(folder: Path) -> None:
    """Raise U2UError unless a model's folder is still where it was when the menu was installed; for each use."""
    if not _is_exported(folder):
        raise U2UError(f"{folder}: the model is not there any more: install the menu again with the model's new folder")


def _downloaded(model: str) -> Path:
    from huggingface_hub import snapshot_download  # takes half a second, which a menu's task has no use for

    from u2u_hf.hub.problems import loading_problem

    try:
        return Path(snapshot_download(model, ignore_patterns=list(NOT_FOR_RECOGNITION)))
    except Exception as error:  # the library raises many classes
        raise U2UError(f"{model}: {loading_problem(model, 'model', error)}") from error


def _is_exported(folder: Path) -> bool:
    return any((folder / ONNX / name).is_file() for name in (SMALL, FULL))
