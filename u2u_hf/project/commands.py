"""The command of each step of a project, as a page runs it and as a person types it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from u2u_hf.model_folder import SETTINGS
from u2u_hf.project.folder import Project
from u2u_hf.project.steps import CORPUS, PREPARE, RECIPES, SCORES, TRAIN, has_checkpoint
from u2u_hf.records import U2UError
from u2u_hf.settings import quoted


def recipes_folder() -> Path:
    """Return the folder of the recipes, beside the library."""
    return Path(__file__).parents[2] / "recipes"


def command(project: Project, name: str) -> list[str]:
    """Return the command of a step, all paths absolute.

    Raises:
        U2UError: project.yaml is missing or damaged, or the step has no recipe.
    """
    if name not in (CORPUS, *RECIPES):
        raise U2UError(f"{name}: has no recipe")
    recipe = started(project, RECIPES[PREPARE if name == CORPUS else name])
    if name == CORPUS:
        return [*recipe, "--corpus", *_words(project.corpus, project, "look"), "--inspect"]
    if name == PREPARE:
        return [*recipe, "--corpus", *_words(project.corpus, project, "dataset")]
    if name == TRAIN:
        resumes = ["--resume"] if has_checkpoint(project) else []
        return [*recipe, "--dataset", *_words(project.dataset, project, "model"), *resumes]
    if name == SCORES:
        model = ["--model", str(project.model), "--audio", "--update_card"]
        return [*recipe, *model, "--dataset", *_words(project.dataset, project, "scores")]
    # With the queue come the .json files, by which a round sees what people changed.
    recordings = [str(path) for path in project.recordings]
    return [*recipe, "--model", *_words(project.model, project, "transcripts"), "--queue", *recordings]


def started(project: Project, recipe: str, config: Path | None = None) -> list[str]:
    """Return the words that start a recipe with the project's settings for it.

    Args:
        recipe: ``prepare``, ``train``, …
        config: settings in place of the project's.
    """
    # For one device a launcher would only start Python once more.
    launcher = ["-m", "accelerate.commands.launch", "--quiet"] if recipe == "train" and gpus() > 1 else []
    config = config or project.config(recipe)
    settings = ["--config", str(config)] if config.is_file() else []
    return [sys.executable, *launcher, str(recipes_folder() / f"{recipe}.py"), *settings]


def _words(path: Path, project: Project, output: str) -> list[str]:
    return [str(path), "--output_dir", str(project.folder / output)]


def round_command(project: Project) -> list[str]:
    """Return the command of a round: learn from what was corrected, and write better drafts."""
    return [sys.executable, str(recipes_folder() / "grow.py"), "--project", str(project.folder)]


def share_commands(
    project: Project, repository: str, space: str, kind: str, token_from: str = ""
) -> dict[str, list[str]]:
    """Return what can be done with a finished recogniser: name → command.

    Args:
        repository: OWNER/NAME of the private repository on the Hub, or the empty string.
        space: OWNER/NAME of the page, or the empty string.
        kind: of the page: gradio or browser.
        token_from: environment variable with a token, with which a gradio page may read the repository.
    """
    model = str(project.model)
    # With the settings that it was trained with, whatever train.yaml of the project says by now: a run with these has
    # ended, so that nothing is trained again.
    trained = ["--config", str(project.model / SETTINGS), "--output_dir", model, "--resume"]
    found = {
        "export": ["export.py", "--model", model, "--dataset", str(project.dataset)],
        "elan": ["elan.py", "install", "--model", model],
        "praat": ["praat.py", "install", "--model", model],
    }
    if repository:
        found["push"] = ["train.py", *trained, "--push_to", repository]
    if space and kind == "browser":
        found["deploy"] = ["deploy.py", "--model", model, "--space", space, "--kind", kind]
    elif space and repository:
        token = ["--token_from", token_from] if token_from else []
        found["deploy"] = ["deploy.py", "--model", repository, "--space", space, "--kind", kind, *token]
    return {name: [sys.executable, str(recipes_folder() / recipe), *rest] for name, (recipe, *rest) in found.items()}


def shown(command: Sequence[str]) -> str:
    """Return a command as a person would type it in the project's folder."""
    words = [_relative(word) for word in command]
    if words and words[0] == _relative(sys.executable):
        words[0] = "python"
    if words[1:3] == ["-m", "accelerate.commands.launch"]:
        words[:3] = ["accelerate", "launch"]
    quote = quoted if os.name == "nt" else shlex.quote
    return " ".join(map(quote, words))


def _relative(word: str) -> str:
    """Return the path of a recipe from the project's root; other words as they are."""
    root = recipes_folder().parent
    path = Path(word)
    return str(path.relative_to(root)) if path.is_absolute() and path.parent == root / "recipes" else word


def gpus() -> int:
    """Return the number of NVIDIA GPUs, without importing torch, which takes seconds."""
    program = shutil.which("nvidia-smi")
    if not program:
        return 0
    try:
        listed = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in listed.splitlines())
