"""What a training leaves in its folders: a model and its processor, or nothing half written."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError
from transformers import PreTrainedModel, ProcessorMixin, Trainer

from u2u_hf import model_folder
from u2u_hf.progress_bar import write_line
from u2u_hf.recognition.model import save_processor
from u2u_hf.records import U2UError


@contextlib.contextmanager
def written(folder: Path, advice: str) -> Iterator[None]:
    """Remove the folder and raise U2UError if it cannot be written, mostly for a full disk."""
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        if not isinstance(error, OSError) and not re.search("writ|space|disk|size|I/O", str(error)):
            raise
        shutil.rmtree(folder, ignore_errors=True)
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise U2UError(f"{folder}: cannot be written ({reason}): make room, then {advice}") from error


def save_trained(trainer: Trainer, processor: ProcessorMixin, output_dir: Path) -> None:
    """Write model and processor, in one process, as `transformers.pipeline` loads them.

    The export and the language model of an earlier model in the folder are removed: recognition would use them.

    Raises:
        U2UError: the folder cannot be written, mostly for a full disk.
    """
    if trainer.is_world_process_zero():
        model: PreTrainedModel = trainer.accelerator.unwrap_model(trainer.model)
        with written(output_dir / model_folder.WEIGHTS, "run the same command with --resume"):
            remove_made_of_model(output_dir)
            model.save_pretrained(output_dir)
            save_processor(processor, output_dir)


def remove_made_of_model(output_dir: Path) -> None:
    """Remove the export, the language model and the calibration of an earlier model: recognition would use them."""
    (output_dir / model_folder.CALIBRATION).unlink(missing_ok=True)
    for name in model_folder.MADE_OF_MODEL:
        if (output_dir / name).is_dir():
            write_line(f"! {output_dir / name}: removed, it belongs to the earlier model of this folder")
            model_folder.remove(output_dir, name)
