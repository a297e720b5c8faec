"""The command of a recipe: as it is started, and as a person types it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from u2u_hf.settings import quoted


def recipes_folder() -> Path:
    """Return the folder of the recipes, beside the library."""
    return Path(__file__).parents[2] / "recipes"


def launcher() -> list[str]:
    """Return how a training is started: for one device a launcher would only start Python once more."""
    several = ["-m", "accelerate.commands.launch", "--quiet"] if gpus() > 1 else []
    return [sys.executable, *several]


def gpus() -> int:
    """Return the number of GPUs, without importing torch, which takes seconds: only NVIDIA's are known without it."""
    if torch := sys.modules.get("torch"):
        return torch.cuda.device_count()
    program = shutil.which("nvidia-smi")
    if not program:
        return 0
    try:
        listed = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in listed.splitlines())


def shown(command: Sequence[str], folder: Path | None = None) -> str:
    """Return a command as a person types it.

    Args:
        folder: in which; None for the one that holds the folder of the recipes.
    """
    folder = folder or recipes_folder().parent
    words = list(command)
    if words and words[0] == sys.executable:
        words[0] = "python"
    if words[1:3] == ["-m", "accelerate.commands.launch"]:
        words[:3] = ["accelerate", "launch"]
    quote = quoted if os.name == "nt" else shlex.quote
    return " ".join(quote(_within(word, folder)) for word in words)


def _within(word: str, folder: Path) -> str:
    """Return a path below a folder from there; other words as they are."""
    path = Path(word)
    return str(path.relative_to(folder)) if path.is_absolute() and path.is_relative_to(folder) else word
