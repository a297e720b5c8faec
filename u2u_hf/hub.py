"""Folders → the Hugging Face Hub, private unless the user says otherwise."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError
from tqdm.auto import tqdm

from u2u_hf.access import hub_problem, log_in
from u2u_hf.records import U2UError
from u2u_hf.settings import setting

# Hidden and unfinished files, checkpoints, and what Trainer pickles, which may hold a token.
IGNORED = (".*", "*/.*", "*.part", "checkpoint-*", "runs/*", "training_args.bin")
# What an earlier push left there would be read together with this one: shards of another count, an old ONNX. Of a
# folder without the first of them, which all else was made from, only what it brings itself is replaced.
REPLACED = {
    "dataset": ["data/*"],
    "space": ["*"],
    "model": [
        "*.safetensors",
        "*.safetensors.index.json",
        "onnx/*",
        "language_model/*",
        "last-checkpoint/*",
        "best-checkpoint/*",
    ],
}


@dataclass
class Push:
    """Where a recipe pushes what it made; not saved with it, so that nobody's copy of the settings pushes."""

    push_to: str = setting("", help="push the result to OWNER/NAME on the Hugging Face Hub, private")
    public: bool = setting(False, help="with --push_to: let the whole world read it")

    def __post_init__(self):
        if self.public and not self.push_to:
            raise U2UError("--public says who may read what --push_to OWNER/NAME pushes: give that too")


def check_push(repo_id: str, repo_type: str, public: bool = False, space_sdk: str | None = None) -> None:
    """Make sure that a push will be let in, before the work whose result is pushed; no file is sent.

    Makes the repo if there is none, private unless `public`: only that tells for every kind of token.

    Args:
        repo_id: OWNER/NAME.
        repo_type: model, dataset or space.
        space_sdk: of a space that is made: gradio, static…

    Raises:
        U2UError: no valid token, or one that may not write there, no network, not a name, or the repo is
            public and `public` is not set.
    """
    _open(repo_id, repo_type, public, space_sdk)


def push_folder(
    folder: Path,
    repo_id: str,
    repo_type: str,
    public: bool = False,
    ignore: Sequence[str] = (),
    space_sdk: str | None = None,
) -> str:
    """Upload a folder, and give the address of its page.

    A private repo stays private, also with `public`. A push that was stopped goes on when it is made again:
    what is there is not sent twice.

    Args:
        ignore: shell patterns of paths in the folder to leave out, beside `IGNORED`.

    Raises:
        U2UError: as `check_push`, before a byte is sent; or the upload fails.
    """
    if not Path(folder).is_dir():
        raise U2UError(f"{folder}: there is no such folder to push")
    private = _open(repo_id, repo_type, public, space_sdk)
    if public and private:
        tqdm.write(f"! {repo_id} was private before and stays private: to open it, change that on its page")
    replaced = _replaced(Path(folder), repo_type)
    patterns = [("--exclude", "checkpoint-*"), *(("--delete", pattern) for pattern in replaced)]
    later = f'hf upload {repo_id} "{folder}" . --repo-type {repo_type}'
    later += "".join(f' {flag} "{pattern}"' for flag, pattern in patterns)
    with _one_line(repo_id, f"; nothing is lost, all is in {folder}, to send it later: {later}"):
        commit = HfApi().upload_folder(
            repo_id=repo_id,
            repo_type=repo_type,
            folder_path=folder,
            ignore_patterns=[*IGNORED, *ignore],
            delete_patterns=replaced,
            commit_message="Upload with u2u-hf",
        )
    return str(commit.repo_url)


def _replaced(folder: Path, repo_type: str) -> list[str]:
    patterns = REPLACED.get(repo_type, [])
    brought = [pattern for pattern in patterns if any(folder.glob(pattern))]
    return patterns if patterns[:1] == brought[:1] else brought


def _open(repo_id: str, repo_type: str, public: bool, space_sdk: str | None) -> bool:
    """Is the repo private? It is there afterwards, and may be written to."""
    if repo_id.count("/") != 1:
        raise U2UError(f"{repo_id}: cannot be pushed to: give OWNER/NAME, where OWNER is your name on the Hub")
    api = HfApi()
    with _one_line(repo_id):
        user = api.whoami()["name"]
        try:
            try:
                info = api.repo_info(repo_id, repo_type=repo_type)
            except RepositoryNotFoundError:
                api.create_repo(repo_id, repo_type=repo_type, private=not public, exist_ok=True, space_sdk=space_sdk)
                info = api.repo_info(repo_id, repo_type=repo_type)
            # create_repo(private=True, exist_ok=True) would leave a public repo public, and say nothing.
            if not (info.private or public):
                raise U2UError(
                    f"{repo_id}: this {repo_type} is public, everybody could read what is pushed: "
                    "give another name, make it private on its page, or say --public"
                )
            api.auth_check(repo_id, repo_type=repo_type, write=True)
        except HfHubHTTPError as error:
            if error.response.status_code != 403:
                raise
            owner, name = repo_id.split("/")
            what = "the token may only read: " if owner == user else f"you are {user} there: push to {user}/{name}, or "
            raise U2UError(f"{repo_id}: cannot be pushed to: {what}{log_in('write')}") from error
    return bool(info.private)


@contextlib.contextmanager
def _one_line(repo_id: str, advice: str = "") -> Iterator[None]:
    try:
        yield
    except U2UError:
        raise
    except Exception as error:  # the library raises many kinds: one line for all of them
        raise U2UError(f"{repo_id}: cannot be pushed to: {hub_problem(error, 'write')}{advice}") from error
