"""What lies in the folder of a trained model and in its checkpoints, by name; a pushed repo has the same files.

Standard library only: whoever needs a name imports neither torch nor the Hub's client.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from pathlib import Path

from u2u_hf import output_folder

# What is made of a model lies in folders of its own: its export, by the names that transformers.js looks for, and its
# language model.
ONNX, FULL, SMALL, EXPORT_REPORT = "onnx", "model.onnx", "model_quantized.onnx", "export.json"
LANGUAGE_MODEL, ARPA, ARPA_WEIGHTS = "language_model", "characters.arpa.gz", "weights.json"
CURVES, SETTINGS, CARD = "training_curves.png", "train.yaml", "README.md"
# Checkpoints of a run, as they are called on the Hub.
LAST, BEST = "last-checkpoint", "best-checkpoint"
STATE = "trainer_state.json"  # which Trainer writes last

# What the page in the browser loads of a model, beside one of `BROWSER_WEIGHTS`.
BROWSER_FILES = ("config.json", "preprocessor_config.json", "tokenizer_config.json", "vocab.json")
BROWSER_WEIGHTS = (f"{ONNX}/{SMALL}", f"{ONNX}/{FULL}")  # for processors, for the graphics processor
# Of a model's repo, what recognising does without; patterns of the Hub's client, in which * takes in /, too.
NOT_FOR_RECOGNITION = (f"{LAST}/*", f"{BEST}/*", "checkpoint-*", "*.png", "evaluation.html")

_COUNT = "[0-9]" * 5 + "-of-" + "[0-9]" * 5  # of shards
_WEIGHTS = ("config.json", "model.safetensors", f"model-{_COUNT}.safetensors", "model.safetensors.index.json")
_LOADED = (
    *_WEIGHTS,
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
)
# Patterns of paths, see `belongs`. The last in the first row are weights of models that others made long ago.
MODEL = (
    *_LOADED,
    *("pytorch_model.bin", f"pytorch_model-{_COUNT}.bin", "pytorch_model.bin.index.json"),
    *(CARD, "LICENSE", "LICENSE.md", "LICENSE.txt", SETTINGS, CURVES),
    *(f"{ONNX}/{name}" for name in (FULL, SMALL, EXPORT_REPORT)),
    # The weights beside an ONNX file of more than 2 GB, as optimum and torch call them.
    *(f"{ONNX}/{name}{end}" for name in (FULL, SMALL) for end in ("_data", ".data")),
    *(f"{LANGUAGE_MODEL}/{name}" for name in (ARPA, ARPA_WEIGHTS)),
)
# All that Trainer needs to resume. Not training_args.bin: Trainer does not read it, and it may hold a token.
CHECKPOINT = (
    *_LOADED,
    *(STATE, "optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state.pth", "rng_state_[0-9]*.pth"),
    # The same of a run divided with FSDP or DeepSpeed.
    *("optimizer.bin", "pytorch_model_fsdp.bin", "optimizer_[0-9]*/*", "pytorch_model_fsdp_[0-9]*/*"),
    *("latest", "zero_to_fp32.py", "global_step[0-9]*/*.pt"),
)
# Its weights and scores alone: a run resumes from the last one.
BEST_CHECKPOINT = (*_WEIGHTS, STATE)

# Folder → the files in it that a recipe makes of a trained model.
MADE_OF_MODEL = {ONNX: (FULL, SMALL, EXPORT_REPORT), LANGUAGE_MODEL: (ARPA, ARPA_WEIGHTS)}


def remove(folder: Path, made: str) -> None:
    """Remove what was made of the model in `folder`, one of `MADE_OF_MODEL`; other files of its folder stay."""
    output_folder.remove(folder / made, MADE_OF_MODEL[made].__contains__)


def belongs(path: str, patterns: Iterable[str]) -> bool:
    """Return whether a path matches one of the patterns, part by part: ``*`` takes in no ``/``.

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
