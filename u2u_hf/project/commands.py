"""The command of each step of a project."""

from __future__ import annotations

import sys
from pathlib import Path

from u2u_hf.command_line.recipe_commands import launcher, recipes_folder
from u2u_hf.model_folder import SETTINGS
from u2u_hf.project.folder import Project
from u2u_hf.project.steps import CORPUS, PREPARE, RECIPES, SCORES, TRAIN, has_checkpoint
from u2u_hf.records import U2UError


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
    start = launcher() if recipe == "train" else [sys.executable]
    config = config or project.config(recipe)
    settings = ["--config", str(config)] if config.is_file() else []
    return [*start, str(recipes_folder() / f"{recipe}.py"), *settings]


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
