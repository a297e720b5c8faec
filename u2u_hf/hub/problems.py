"""Errors of the Hugging Face Hub, in one line for the user."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from huggingface_hub import HfApi, constants, get_token
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    JobNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import httpx

from u2u_hf.hub.source import wrong_kind
from u2u_hf.memory import memory_problem
from u2u_hf.records import U2UError
from u2u_hf.visible_text import visible

_MOST_CHARACTERS = 120  # of another program's message
# What to do when the Hub refuses, by HTTP status.
_WAYS_OUT = {
    402: "buy credit, or see what your plan includes at {endpoint}/settings/billing",
    413: "push smaller or fewer files",
    429: "wait some minutes, then run the same again",
    507: "delete what you do not need there, or see your plan at {endpoint}/settings/billing",
}
_PORTAL = (
    "another page answers in place of {endpoint}, such as the login page of a network: open it in a browser, log in to "
    "the network, and run the same again"
)


def hub_problem(error: BaseException, access: str = "read") -> str:
    """Return what went wrong at the Hub and what to do, in one line that never contains the token.

    Args:
        error: raised by a client of the Hub; its causes are looked at too.
        access: that the user needs: read or write.
    """
    return _known(error, access) or _first_line(error)


@contextlib.contextmanager
def in_one_line(what: str, access: str = "read", advice: str = "") -> Iterator[None]:
    """Turn errors of the Hub's clients into U2UError: ``what: problem``, and the advice at its end.

    Args:
        what: what was asked for; access: see `hub_problem`.
    """
    try:
        yield
    except U2UError:
        raise
    except Exception as error:  # of many types
        raise U2UError(f"{what}: {hub_problem(error, access)}{advice}") from error


def loading_problem(source: str, repo_type: str, error: Exception) -> str:
    """Return why `source` could not be loaded, and what to do, in one line.

    If `source` is a name on the Hub, the Hub is asked again, because some libraries hide its answer.

    Args:
        repo_type: model or dataset.
    """
    if problem := memory_problem(error):
        return problem
    damaged = f"{_first_line(error).rstrip('.:')}: it may be damaged: copy or download it again"
    if Path(source).exists():
        return damaged
    try:
        HfApi().repo_info(source, repo_type=repo_type)
    except RepositoryNotFoundError as refusal:
        return _as_another_kind(source, repo_type) or hub_problem(refusal)
    except Exception as refusal:
        return hub_problem(refusal)
    # The Hub has just answered, so what is not JSON is a file.
    is_file = any(isinstance(link, json.JSONDecodeError) for link in _chain(error))
    return (not is_file and _known(error, "read")) or damaged


def is_full(error: BaseException) -> bool:
    """Return whether the Hub refuses because an account's storage is used up; it does so with several statuses."""
    return getattr(error, "response", None) is not None and "storage" in _own_words(error).lower()


def _known(error: BaseException, access: str) -> str:
    """Return what `hub_problem` returns for an error of a known kind, else the empty string."""
    if problem := memory_problem(error):
        return problem
    for link in _chain(error):
        status = getattr(getattr(link, "response", None), "status_code", None)
        if isinstance(link, LocalTokenNotFoundError):
            return f"nobody is logged in to the Hugging Face Hub on this computer: {log_in(access)}"
        if isinstance(link, HFValidationError):
            return "is not a name of the form OWNER/NAME with letters, digits, - _ and . only"
        if isinstance(link, OfflineModeIsEnabled):
            return "HF_HUB_OFFLINE is set, so the Hugging Face Hub is not asked: unset it"
        if isinstance(link, GatedRepoError):
            after = "try again" if get_token() else log_in(access)
            return f"its owners ask for consent: agree on its page, then {after}"
        if isinstance(link, JobNotFoundError):
            return f"is no job of your account: look it up at {constants.ENDPOINT}/settings/jobs"
        if isinstance(link, RevisionNotFoundError):
            return "has no such branch, tag or commit: look it up on its page"
        if isinstance(link, RepositoryNotFoundError):
            account = "your account may not read it" if get_token() else "nobody is logged in"
            return f"is not on the Hub, or is private and {account}: check the name, or {log_in(access)}"
        if isinstance(link, UnicodeEncodeError):  # a token that is not ASCII
            return f"the Hugging Face Hub does not accept the token: {log_in(access)}"
        if isinstance(link, json.JSONDecodeError) or status == 511:
            return _PORTAL.format(endpoint=constants.ENDPOINT)
        if status is not None:
            return _refusal(link, status, access)
        if isinstance(link, (httpx.TransportError, ConnectionError)):
            return f"{constants.ENDPOINT} cannot be reached: check the internet connection and try again"
    return ""


def _refusal(error: BaseException, status: int, access: str) -> str:
    """Return what to do about an answer of the Hub with an HTTP status, which has no class of its own."""
    if status == 401:
        return f"the Hugging Face Hub does not accept the token: {log_in(access)}"
    if is_full(error):
        way_out = _WAYS_OUT[507]
    elif status == 403:
        way_out = log_in(access)
    else:
        way_out = _WAYS_OUT.get(status, "try again later" if status >= 500 else "see its page on the Hub")
    words = _own_words(error)
    reason = f"refuses (HTTP {status}: {words})" if words else _without_words(status)
    return f"the Hugging Face Hub {reason}: {way_out.format(endpoint=constants.ENDPOINT)}"


def _without_words(status: int) -> str:
    if status == 403:
        return "does not let this token do this (HTTP 403)"
    return f"{'is busy or has an error' if status >= 500 else 'refuses'} (HTTP {status})"


def _own_words(error: BaseException) -> str:
    """Return the message that the Hub sent with a refusal, on one line, or the empty string."""
    return _clean(re.sub(r"<[^<>]*>", " ", str(getattr(error, "server_message", None) or "")))


def _as_another_kind(source: str, repo_type: str) -> str:
    """Return the problem that a repo of this name has another type on the Hub, or the empty string if none has it."""
    for kind in sorted({"model", "dataset", "space"} - {repo_type}):
        try:
            HfApi().repo_info(source, repo_type=kind)
        except Exception:  # of several classes; it is not there, or may not be read
            continue
        return wrong_kind(kind, repo_type)
    return ""


def _first_line(error: BaseException) -> str:
    if isinstance(error, U2UError):  # is a line for the user already
        return str(error)
    return _clean((str(error).strip() or type(error).__name__).splitlines()[0])


def _clean(message: str) -> str:
    """Return a message on one line, without the token, with control characters spelled out; a long one is cut."""
    token = get_token()
    message = " ".join((message.replace(token, "…") if token else message).split())
    return visible(f"{message[:_MOST_CHARACTERS]}…" if len(message) > _MOST_CHARACTERS else message)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def log_in(access: str) -> str:
    """Return how to get a token with this access, read or write, and log in."""
    first = "unset HF_TOKEN, " if os.environ.get("HF_TOKEN") else ""
    return f"{first}make a token with {access} access at {constants.ENDPOINT}/settings/tokens and run `hf auth login`"
