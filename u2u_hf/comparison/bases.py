"""The models that are compared: where each is trained, and how."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from u2u_hf.command_line.recipe_commands import launcher
from u2u_hf.hub.model_files import optional_file
from u2u_hf.model_folder import PREPROCESSOR, SETTINGS, WEIGHTS, WEIGHTS_INDEX
from u2u_hf.recognition.model import family_at
from u2u_hf.records import U2UError

SPLIT = "validation"


@dataclass(frozen=True)
class Base:
    """A pre-trained model, as it is named on the command line, and the folders of its training and of its scores."""

    model: str
    trained: Path
    scores: Path

    @property
    def is_trained(self) -> bool:
        return (self.trained / SETTINGS).is_file()  # the last file that train.py writes

    @property
    def is_scored(self) -> bool:
        return self.is_trained and (self.scores / "evaluation.html").is_file()  # the last of evaluate.py

    def commands(self, recipes: Path, dataset: str, time_budget: str, flags: Sequence[str]) -> Iterator[list[str]]:
        """Yield the commands that are left to do: its training, and the recognition of the validation split."""
        if not self.is_trained:
            places = ["--dataset", dataset, "--model", self.model, "--output_dir", str(self.trained)]
            yield [*launcher(), str(recipes / "train.py"), *places, "--time_budget", time_budget, "--resume", *flags]
        places = ["--model", str(self.trained), "--dataset", dataset, "--output_dir", str(self.scores)]
        yield [sys.executable, str(recipes / "evaluate.py"), *places, "--split", SPLIT]


def bases(models: Sequence[str], output_dir: Path) -> list[Base]:
    """Return a base for each model, once, also if it is named with a slash at its end and without.

    Its folders depend on its name alone, so that others may be added later.

    Raises:
        U2UError: two models would be trained in one folder.
    """
    once = {os.path.normpath(model): model for model in models}.values()
    names = {model: _folder_name(model) for model in once}
    found = [Base(model, output_dir / name, output_dir / f"{name}_scores") for model, name in names.items()]
    taken: dict[Path, str] = {}
    for base in found:
        for folder in (base.trained, base.scores):
            if other := taken.get(folder):
                raise U2UError(f"{other} and {base.model} would share {folder}: rename or move one of them")
            taken[folder] = base.model
    return found


def _folder_name(model: str) -> str:
    """Return a name for a folder.

    >>> _folder_name("utter-project/mHuBERT-147"), _folder_name("../models/my model/")
    ('utter-project_mHuBERT-147', 'models_my_model')
    """
    return re.sub(r"[^\w.-]+", "_", os.path.normpath(model)).strip("._-")[-80:] or "model"


def fetch(model: str) -> str:
    """Download a model's files, if it is on the Hub; return why it cannot be trained, or the empty string.

    Before the clock of its training starts: on a slow connection a download would take a large model's share of time.
    """
    try:
        family_at(model)
        optional_file(model, PREPROCESSOR)
        if optional_file(model, WEIGHTS):
            return ""
        if index := optional_file(model, WEIGHTS_INDEX):
            for shard in sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())):
                optional_file(model, shard)
        else:
            optional_file(model, "pytorch_model.bin")
    except U2UError as error:
        return str(error)
    except (OSError, ValueError, LookupError, AttributeError, TypeError):
        return f"{model}: its {WEIGHTS_INDEX} is damaged: copy or download the model again"
    return ""
