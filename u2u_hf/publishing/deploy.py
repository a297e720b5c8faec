"""A trained model as a web page of one's own: the folder of a Space, and the Space on the Hugging Face Hub."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import huggingface_hub
from huggingface_hub import HfApi
from huggingface_hub.repocard import metadata_load, metadata_save

from u2u_hf import output_folder
from u2u_hf.files import write_text
from u2u_hf.hub.problems import hub_problem
from u2u_hf.hub.push import check_push, push_folder
from u2u_hf.publishing import browser_page
from u2u_hf.records import U2UError
from u2u_hf.settings import setting

PACKAGE = Path(__file__).parents[1]
SPACES = PACKAGE.parent / "spaces"
KINDS = {"gradio": "transcribe", "browser": "browser"}
_WAIT_SECONDS = 1800.0  # for a Space to be built: its packages alone are some gigabytes


@dataclass
class DeploySettings:
    """What a user can say about a page; the fields' help says what each is."""

    model: str = setting(help="trained model: OWNER/NAME on the Hub; for --kind browser also an exported one's folder")
    space: str = setting("", help="OWNER/NAME of the Space, which is made if there is none")
    kind: str = setting("gradio", help="gradio: works on the Hub's computers; browser: on each visitor's own")
    revision: str = setting("", help="of the model: a branch, tag or commit (the newest)")
    max_minutes: float = setting(60.0, help="the longest recording that is let in")
    max_file_mb: float = setting(1000.0, help="the largest file that is let in")
    token_from: str = setting("", help="environment variable with a token that may read a private model, and no more")
    password_from: str = setting("", help="environment variable with a password that visitors are asked for")
    public: bool = setting(False, help="let the whole world use the page")
    dry_run: bool = setting(False, help="only write the folder, and say what would be done")
    output_dir: str = setting("", help="folder to keep what is uploaded (none is kept)")

    def __post_init__(self):
        if self.kind not in KINDS:
            raise U2UError(f"--kind {self.kind}: give one of {', '.join(KINDS)}")
        if not (self.space or self.dry_run):
            raise U2UError("--space: say OWNER/NAME, where OWNER is your name on the Hub; or --dry_run true")
        if self.dry_run and not self.output_dir:
            raise U2UError("--dry_run: say with --output_dir where the folder is to be written")
        if self.kind == "gradio" and os.path.isdir(self.model):
            raise U2UError(
                f"{self.model}: is a folder on this computer, and a Space fetches its model from the Hub: push it "
                "there first (recipes/export.py --push_to OWNER/NAME), or take --kind browser"
            )
        if self.kind == "browser" and (self.token_from or self.password_from):
            raise U2UError("--token_from, --password_from: a page that works in the browser can keep no secret")
        if self.kind == "browser" and self.revision:
            raise U2UError("--revision: a page that works in the browser takes the newest")


def build(settings: DeploySettings, folder: Path) -> None:
    """Write the folder that becomes the Space; the page before is replaced when all of the new one is made.

    Files that a person put into the folder stay there, and edited ones are kept beside the new ones.

    Raises:
        U2UError: the folder holds something else or cannot be made, or as `browser_page.build`.
    """
    template = SPACES / KINDS[settings.kind]
    output_folder.check(folder, "deploy.py")
    parent = folder.resolve().parent  # on the same disk, also of a link
    try:
        parent.mkdir(parents=True, exist_ok=True)
        temporary = tempfile.TemporaryDirectory(dir=parent, prefix=".")
    except OSError as error:
        raise U2UError(f"{folder}: cannot be made ({error.strerror}): choose another --output_dir") from error
    with temporary as name:
        _fill(template, made := Path(name, "page"), settings)
        output_folder.claim(folder, "deploy.py")
        output_folder.replace_all(made, folder)


def _fill(template: Path, folder: Path, settings: DeploySettings) -> None:
    if settings.kind == "browser":
        browser_page.build(template, folder, settings.model)
    else:
        unneeded = shutil.ignore_patterns("__pycache__", "demo")
        shutil.copytree(template, folder, ignore=unneeded)
        # The library is not released anywhere that a Space could install it from.
        shutil.copytree(PACKAGE, folder / "u2u_hf", ignore=unneeded)
        write_text(folder / "requirements.txt", _pinned((template / "requirements.txt").read_text(encoding="utf-8")))
    card = metadata_load(folder / "README.md")
    if not os.path.isdir(settings.model):
        card["models"] = [settings.model]
    metadata_save(folder / "README.md", card)


def _pinned(names: str) -> str:
    """Lines of requirements.txt: packages by name, with the versions that this library takes."""
    wanted = {re.match(r"[\w-]+", line)[0].lower(): line for line in importlib.metadata.requires("u2u-hf") or []}
    return "".join(f"{wanted[name.lower()]}\n" for name in names.split())


def variables(settings: DeploySettings) -> dict[str, str]:
    """What the Space is told; see `hosting`."""
    if settings.kind == "browser":
        return {}
    limits = {"MAX_MINUTES": f"{settings.max_minutes:g}", "MAX_FILE_MB": f"{settings.max_file_mb:g}"}
    revision = {"MODEL_REVISION": settings.revision} if settings.revision else {}
    return {"MODEL_ID": settings.model, **revision, **limits}


def deploy(settings: DeploySettings, folder: Path, say: Callable[[str], object] = print) -> str:
    """Make or update the Space from `build`'s folder, in one commit; give its address when it runs.

    The Space is private unless `public`. Secrets come from the environment variables that are named, and from nowhere
    else: the caller's own login stays on this computer.

    Raises:
        U2UError: no right to do so, the model cannot be read by the Space, a token that may do too much, or the Space
            does not start.
    """
    secrets = _secrets(settings)
    api = HfApi()
    if settings.kind == "gradio":
        _check_model(settings, "HF_TOKEN" in secrets or _has_token(api, settings.space))
    check_push(settings.space, "space", settings.public, space_sdk="static" if settings.kind == "browser" else "gradio")
    if settings.kind == "gradio":
        known = api.get_space_variables(settings.space)
        for key, value in variables(settings).items():
            if key not in known or known[key].value != value:
                api.add_space_variable(settings.space, key, value)
        for key, value in secrets.items():
            api.add_space_secret(settings.space, key, value)
    push_folder(folder, settings.space, "space", settings.public)
    say("uploaded; the Hub builds it now, which takes some minutes the first time")
    try:
        stage = api.wait_for_space(settings.space, timeout=_WAIT_SECONDS, poll_interval=2).stage
    except TimeoutError as error:
        raise U2UError(f"{settings.space}: is still being built: look at {_address(settings.space)}") from error
    if stage not in ("RUNNING", "SLEEPING"):
        raise U2UError(f"{settings.space}: does not run, but is {stage}: {_last_lines(api, settings.space, stage)}")
    return _address(settings.space)


def _address(space: str) -> str:
    return f"{huggingface_hub.constants.ENDPOINT}/spaces/{space}"


def _secrets(settings: DeploySettings) -> dict[str, str]:
    found = {}
    for key, variable in (("HF_TOKEN", settings.token_from), ("APP_PASSWORD", settings.password_from)):
        if variable:
            found[key] = os.environ.get(variable, "")
            if not found[key]:
                raise U2UError(f"{variable}: this environment variable is empty: set it before, or leave it out")
    if token := found.get("HF_TOKEN"):
        try:
            role = HfApi().whoami(token=token)["auth"]["accessToken"]["role"]
        except Exception as error:
            raise U2UError(f"{settings.token_from}: the Hub does not know this token") from error
        if role == "write":
            raise U2UError(f"{settings.token_from}: this token may write: make one at the Hub that may only read")
    return found


def _has_token(api: HfApi, space: str) -> bool:
    try:
        return "HF_TOKEN" in api.get_space_secrets(space)
    except Exception:  # there is no such Space yet; what else is wrong `check_push` will say
        return False


def _check_model(settings: DeploySettings, has_token: bool) -> None:
    try:
        info = HfApi().model_info(settings.model, revision=settings.revision or None)
    except Exception as error:
        raise U2UError(f"{_named(settings)}: {hub_problem(error)}") from error
    if (info.private or info.gated) and not has_token:
        raise U2UError(
            f"{settings.model}: is private, and the Space could not read it: make a token at the Hub that may only "
            "read it, put it into an environment variable, and name that with --token_from"
        )


def _named(settings: DeploySettings) -> str:
    return f"{settings.model} at {settings.revision}" if settings.revision else settings.model


def _last_lines(api: HfApi, space: str, stage: str) -> str:
    try:
        lines = list(api.fetch_space_logs(space, build="BUILD" in stage))
    except Exception:
        lines = []
    told = [line.strip() for line in lines if line.strip()][-3:]
    return " / ".join(told) or f"look at the log on {_address(space)}"
