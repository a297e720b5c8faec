"""Errors of the Hugging Face Hub, in one line for the user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import HfApi, constants, get_token
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import httpx


def hub_problem(error: BaseException, access: str = "read") -> str:
    """Return what went wrong at the Hub and what to do, in one line that never contains the token.

    Args:
        error: raised by a client of the Hub; its causes are looked at too.
        access: that the user needs: read or write.
    """
    for link in _chain(error):
        status = getattr(getattr(link, "response", None), "status_code", None)
        if isinstance(link, LocalTokenNotFoundError):
            return f"nobody is logged in to the Hugging Face Hub on this computer: {log_in(access)}"
        if isinstance(link, HFValidationError):
            return "is not a name of the form OWNER/NAME with letters, digits, - _ and . only"
        if isinstance(link, OfflineModeIsEnabled):
            return "HF_HUB_OFFLINE is set, so the Hugging Face Hub is not asked: unset it"
        if isinstance(link, GatedRepoError):
            return "its owners ask for consent: log in, give it on its page, then try again"
        if isinstance(link, RevisionNotFoundError):
            return "has no such branch, tag or commit: look it up on its page"
        if isinstance(link, RepositoryNotFoundError):
            account = "your account may not read it" if get_token() else "nobody is logged in"
            return f"is not on the Hub, or is private and {account}: check the name, or {log_in(access)}"
        if status == 401 or isinstance(link, UnicodeEncodeError):  # the latter: a token that is not ASCII
            return f"the Hugging Face Hub does not accept the token: {log_in(access)}"
        if status == 403:
            return f"the token may not do this: {log_in(access)}"
        if status == 429 or (status or 0) >= 500:
            return f"the Hugging Face Hub is busy or has an error (HTTP {status}): try again later"
        if isinstance(link, (httpx.TransportError, ConnectionError)):
            return f"{constants.ENDPOINT} cannot be reached: check the internet connection and try again"
    token = get_token()
    return _first_line(error).replace(token, "…") if token else _first_line(error)


def loading_problem(source: str, repo_type: str, error: Exception) -> str:
    """Return why `source` could not be loaded, in one line.

    If `source` is a name on the Hub, the Hub is asked again, because some libraries hide its answer.

    Args:
        repo_type: model or dataset.
    """
    if not Path(source).exists():
        try:
            HfApi().repo_info(source, repo_type=repo_type)
        except Exception as refusal:
            return hub_problem(refusal)
    return hub_problem(error)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def log_in(access: str) -> str:
    """Return how to get a token with this access, read or write, and log in."""
    first = "unset HF_TOKEN, " if os.environ.get("HF_TOKEN") else ""
    return f"{first}make a token with {access} access at {constants.ENDPOINT}/settings/tokens and run `hf auth login`"
