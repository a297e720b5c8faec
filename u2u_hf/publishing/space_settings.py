"""What a Gradio Space is told: its variables and secrets, in the one list that the page and `deploy` share.

A new variable is a field of `SpaceVariables` with its name in `VARIABLES`, and a line in spaces/transcribe/README.md:
deploy.py then has a flag for it, and the page reads it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from u2u_hf.records import U2UError
from u2u_hf.settings import setting

# Field of `SpaceVariables` → variable of the Space. (A field's metadata go to argparse, which would refuse them.)
VARIABLES = {
    "model": "MODEL_ID",
    "revision": "MODEL_REVISION",
    "max_minutes": "MAX_MINUTES",
    "max_file_mb": "MAX_FILE_MB",
}
# Field of `SpaceSecrets` → secret of the Space.
SECRETS = {"token_from": "HF_TOKEN", "password_from": "APP_PASSWORD"}


@dataclass
class SpaceVariables:
    """The variables of a Space, which anybody who can see it may read."""

    model: str = setting(help="trained model: OWNER/NAME on the Hub")
    revision: str = setting("", help="branch, tag or commit of the model on the Hub (the newest)")
    max_minutes: float = setting(60.0, help="longest recording that the page accepts, minutes")
    max_file_mb: float = setting(1000.0, help="largest file that the page accepts, MB")


@dataclass
class SpaceSecrets:
    """The environment variables on this computer from which the secrets of a Space are copied."""

    token_from: str = setting("", help="environment variable with a token that may only read the private model")
    password_from: str = setting("", help="environment variable with the password that visitors must give")


def variables(settings: SpaceVariables) -> dict[str, str]:
    """Return the variables of a Space with these settings, without empty ones."""
    written = {variable: _written(getattr(settings, name)) for name, variable in VARIABLES.items()}
    return {variable: value for variable, value in written.items() if value}


def secret_sources(settings: SpaceSecrets) -> dict[str, str]:
    """Return each secret's name in the Space with the environment variable that holds it here, if one is given."""
    return {secret: getattr(settings, name) for name, secret in SECRETS.items() if getattr(settings, name)}


def from_environment(environment: Mapping[str, str], model: str = "") -> SpaceVariables:
    """Return the settings that the environment of a Space, or of a terminal, holds.

    Args:
        model: takes the place of MODEL_ID.

    Raises:
        U2UError: MODEL_ID is missing or not a model, or a number is invalid; the message says how to set it.
    """
    given: dict[str, Any] = {}
    for field in dataclasses.fields(SpaceVariables):
        variable = VARIABLES[field.name]
        if value := environment.get(variable, "").strip():
            given[field.name] = _positive(variable, value) if isinstance(field.default, float) else value
    given["model"] = model = model or given.get("model", "")
    if not model:
        raise U2UError("MODEL_ID is not set: set it to the model's OWNER/NAME on the Hugging Face Hub")
    if not os.path.isdir(model) and model.count("/") != 1:
        raise U2UError(f"MODEL_ID is {model!r}: it must be OWNER/NAME, as in the address of the model's page")
    return SpaceVariables(**given)


def _written(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _positive(variable: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise U2UError(f"{variable} is {value!r}: it must be a number above 0, such as 60")
    return number
