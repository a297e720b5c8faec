"""The last lines of the recipes that measure a character error rate: the verdict and the next commands."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from u2u_hf.evaluation.metrics import in_percent
from u2u_hf.evaluation.verdict import is_useful, verdict
from u2u_hf.model_folder import CALIBRATION, LANGUAGE_MODEL
from u2u_hf.settings import quoted


def after_training(scores: Mapping[str, float], model: str, dataset: str) -> str:
    """Return the verdict on a trained model, and the next commands.

    Args:
        scores: of the validation split.
        model: folder or Hub name, as on the command line; `dataset` likewise.
    """
    steps = {_SCORE: [_evaluate(model, dataset)], _USE: [f"export.py --model {quoted(model)}", _transcribe(model)]}
    return _closing("validation", scores, steps)


def after_evaluation(scores: Mapping[str, float], split: str, model: str) -> str:
    """Return the verdict on an evaluated model, and the next command."""
    return _closing(split, scores, {"Next, transcribe new recordings:": [_transcribe(model)]})


def after_language_model(cer: float, kept: bool, model: str, dataset: str) -> str:
    """Return the verdict on a model with its language model, or without if it was not kept, and the next commands.

    Args:
        cer: on the validation split.
    """
    where = f"validation with{'' if kept else 'out'} the language model"
    return _closing(where, {"cer": cer}, {_SCORE: [_evaluate(model, dataset)], _USE: [_transcribe(model)]})


def beside_model(model: str, kept: bool, push_to: str) -> str:
    """Return what is left to do for a language model that was made in another folder than the model's, or nothing.

    Args:
        model: folder or Hub name of the recogniser.
        kept: whether it is there; if not, nothing was pushed.
        push_to: where it was pushed to, or the empty string.
    """
    if not kept:
        return (
            f"{push_to or model} stays as it is, also with the language model that it may have: to recognise without "
            f"that, delete its folder {LANGUAGE_MODEL}"
        )
    if push_to == model:
        return ""
    if os.path.isdir(model):
        way = f"copy it there as {LANGUAGE_MODEL}, with {CALIBRATION}, which is beside it"
    else:
        way = f"push it: --push_to {model}"
    return f"{model} is used with the language model only once that is in it: {way}"


_SCORE = "Next, score it on recordings that it was not chosen by:"
_USE = "Then transcribe new recordings; export.py makes this faster on computers without a GPU:"


def _evaluate(model: str, dataset: str) -> str:
    scores = quoted(f"{os.path.normpath(model)}_scores")
    return f"evaluate.py --model {quoted(model)} --dataset {quoted(dataset)} --output_dir {scores}"


def _transcribe(model: str) -> str:
    transcripts = quoted(f"{os.path.normpath(model)}_transcripts")
    return f"transcribe.py --model {quoted(model)} --output_dir {transcripts} MY_NEW_RECORDINGS"


def _closing(where: str, scores: Mapping[str, float], steps: Mapping[str, Sequence[str]]) -> str:
    paragraphs = [f"{where}: {in_percent(scores)}\nFor drafts this means: {verdict(scores['cer'])}."]
    if not is_useful(scores["cer"]):
        steps = {heading: commands for heading, commands in steps.items() if heading == _SCORE}
    for heading, commands in steps.items():
        paragraphs += [heading, "\n".join(f"  python recipes/{command}" for command in commands)]
    return "\n" + "\n\n".join(paragraphs) + "\n"
