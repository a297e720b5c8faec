"""Names of the files in the folder of a trained model and in its checkpoints; a pushed repository has the same files.

`spaces/browser/constants.js` repeats some; tests/spaces/test_constants.py holds them equal.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from pathlib import Path

from u2u_hf import output_folder

CONFIG, WEIGHTS, WEIGHTS_INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
PREPROCESSOR, TOKENIZER, VOCABULARY = "preprocessor_config.json", "tokenizer_config.json", "vocab.json"
PROCESSOR = "processor_config.json"
TOKENIZER_FILE = "tokenizer.json"
CURVES, SETTINGS, CARD = "training_curves.png", "train.yaml", "README.md"
CALIBRATION = "calibration.json"  # what the recogniser's probabilities say of its errors

# Folders of what is made from the model. The names of the ONNX files are those that transformers.js looks for.
ONNX, FULL, SMALL, EXPORT_REPORT = "onnx", "model.onnx", "model_quantized.onnx", "export.json"
FULL_DATA = f"{FULL}_data"  # the weights of a model of more than 2 GB, which one ONNX file cannot hold
LANGUAGE_MODEL, ARPA, ARPA_WORDS = "language_model", "characters.arpa.gz", "words.arpa.gz"
ARPA_WEIGHTS = "weights.json"
# Folder → the files in it that a recipe makes; without the last one a language model is not used.
MADE_OF_MODEL = {ONNX: (FULL, FULL_DATA, SMALL, EXPORT_REPORT), LANGUAGE_MODEL: (ARPA, ARPA_WORDS, ARPA_WEIGHTS)}

LAST, BEST = "last-checkpoint", "best-checkpoint"  # folders on the Hub
STATE = "trainer_state.json"  # the last file of a checkpoint that Trainer writes
AVERAGE = "average.safetensors"  # of the weights of the last steps, in a checkpoint

# Files that the browser page loads, beside one of `BROWSER_WEIGHTS`: for CPUs, for GPUs.
BROWSER_FILES = (CONFIG, PREPROCESSOR, TOKENIZER, VOCABULARY)
BROWSER_WEIGHTS = (f"{ONNX}/{SMALL}", f"{ONNX}/{FULL}")
# Files of a repository that recognition does not need: patterns of the Hub's client, in which * matches / too.
NOT_FOR_RECOGNITION = (f"{LAST}/*", f"{BEST}/*", "checkpoint-*", "*.png", "evaluation.html")

_SHARD = f"{'[0-9]' * 5}-of-{'[0-9]' * 5}"
_WEIGHTS = (CONFIG, WEIGHTS, f"model-{_SHARD}.safetensors", WEIGHTS_INDEX)
_LOADED = (
    *_WEIGHTS,
    "generation_config.json",
    PREPROCESSOR,
    PROCESSOR,
    TOKENIZER_FILE,
    TOKENIZER,
    "special_tokens_map.json",
    "added_tokens.json",
    VOCABULARY,
)
# The files of a model; patterns for `belongs`. Old models have their weights in pytorch_model*.bin.
MODEL = (
    *_LOADED,
    *("pytorch_model.bin", f"pytorch_model-{_SHARD}.bin", "pytorch_model.bin.index.json"),
    *(CARD, "LICENSE", "LICENSE.md", "LICENSE.txt", SETTINGS, CURVES, CALIBRATION),
    *(f"{ONNX}/{name}" for name in (FULL, SMALL, EXPORT_REPORT)),
    # Weights outside an ONNX file of more than 2 GB, as optimum and torch call them.
    *(f"{ONNX}/{name}{end}" for name in (FULL, SMALL) for end in ("_data", ".data")),
    *(f"{LANGUAGE_MODEL}/{name}" for name in (ARPA, ARPA_WORDS, ARPA_WEIGHTS)),
)
# The files that Trainer needs to resume. Not training_args.bin: Trainer does not read it, and it may contain a token.
CHECKPOINT = (
    *_LOADED,
    *(STATE, AVERAGE, "optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state.pth", "rng_state_[0-9]*.pth"),
    # FSDP and DeepSpeed.
    *("optimizer.bin", "pytorch_model_fsdp.bin", "optimizer_[0-9]*/*", "pytorch_model_fsdp_[0-9]*/*"),
    *("latest", "zero_to_fp32.py", "global_step[0-9]*/*.pt"),
)
# Weights and scores only: a run resumes from the last checkpoint.
BEST_CHECKPOINT = (*_WEIGHTS, STATE)


def checkpoints(folder: Path) -> dict[int, Path]:
    """Return step → folder of each of Trainer's checkpoints in a run's folder, whole or not, in order of steps."""
    numbers = ((path.name.rpartition("-")[2], path) for path in folder.glob("checkpoint-*"))
    return dict(sorted((int(number), path) for number, path in numbers if number.isdigit()))


def remove(folder: Path, made: str) -> None:
    """Remove the files of one of the `MADE_OF_MODEL` folders in a model's folder; other files in it stay."""
    output_folder.remove(folder / made, MADE_OF_MODEL[made].__contains__)


def belongs(path: str, patterns: Iterable[str]) -> bool:
    """Return whether a path matches one of the patterns part by part: ``*`` does not match ``/``.

    Args:
        path: relative, its parts separated by ``/``.

    >>> belongs("onnx/model.onnx", MODEL), belongs("my/onnx/model.onnx", MODEL)
    (True, False)
    """
    parts = path.split("/")
    return any(
        len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))
        for wanted in (pattern.split("/") for pattern in patterns)
    )
