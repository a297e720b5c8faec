"""A trained model as a web page: the folder of a Space, and the Space on the Hugging Face Hub."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import huggingface_hub
from huggingface_hub import HfApi
from huggingface_hub.repocard import metadata_load, metadata_save

from u2u_hf import output_folder
from u2u_hf.files import write_text
from u2u_hf.hub.problems import hub_problem
from u2u_hf.hub.push import check_push, push_folder
from u2u_hf.publishing import browser_page, space_settings
from u2u_hf.publishing.space_settings import SpaceSecrets, SpaceVariables
from u2u_hf.records import U2UError
from u2u_hf.settings import setting

PACKAGE = Path(__file__).parents[1]
SPACES = PACKAGE.parent / "spaces"
KINDS = {"gradio": "transcribe", "browser": "browser"}
_EDITOR = "editor"  # a folder in SPACES that both pages use
_WAIT_SECONDS = 1800.0  # for a Space to be built: its packages alone are some gigabytes


@dataclass
class DeploySettings(SpaceSecrets, SpaceVariables):
    """The settings of a page, and those of its Space; the fields' help says what each does."""

    model: str = setting(help="trained model: OWNER/NAME on the Hub; for --kind browser also an exported one's folder")
    space: str = setting("", help="OWNER/NAME of the Space, which is created if it does not exist")
    kind: str = setting("gradio", help="gradio: computes on the Hub; browser: computes in each visitor's browser")
    public: bool = setting(False, help="let everybody see and use the page")
    dry_run: bool = setting(False, help="only write the folder, and print what would be done")
    output_dir: str = setting("", help="folder in which the uploaded files are kept (none)")

    def __post_init__(self):
        if self.kind not in KINDS:
            raise U2UError(f"--kind {self.kind}: give one of {', '.join(KINDS)}")
        if not (self.space or self.dry_run):
            raise U2UError("--space: give OWNER/NAME, where OWNER is your name on the Hub; or --dry_run")
        if self.dry_run and not self.output_dir:
            raise U2UError("--dry_run: also give --output_dir, where the folder is written")
        if self.kind == "gradio" and os.path.isdir(self.model):
            raise U2UError(
                f"{self.model}: is a folder on this computer, and a Gradio Space fetches its model from the Hub: "
                "push it (recipes/export.py --push_to OWNER/NAME), or give --kind browser"
            )
        if self.kind == "browser" and (self.token_from or self.password_from):
            raise U2UError("--token_from, --password_from: a page that works in the browser cannot keep a secret")
        if self.kind == "browser" and self.revision:
            raise U2UError("--revision: a page that works in the browser always uses the newest")


def build(settings: DeploySettings, folder: Path) -> None:
    """Write the folder that becomes the Space; an older page in it is replaced once the new one is complete.

    Files that a person put into the folder stay, and edited ones are kept beside the new ones.

    Raises:
        U2UError: the folder holds something else or cannot be made; or see `browser_page.build`.
    """
    template = SPACES / KINDS[settings.kind]
    output_folder.check(folder, "deploy.py")
    parent = folder.resolve().parent  # on the same disk, also if the folder is a link
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
        unneeded = shutil.ignore_patterns("__pycache__", "demo", "*.test.js")
        shutil.copytree(template, folder, ignore=unneeded)
        shutil.copytree(SPACES / _EDITOR, folder / _EDITOR, ignore=unneeded)
        # The library is not on PyPI, so a Space cannot install it.
        shutil.copytree(PACKAGE, folder / "u2u_hf", ignore=unneeded)
        write_text(folder / "requirements.txt", _pinned((template / "requirements.txt").read_text(encoding="utf-8")))
    card = metadata_load(folder / "README.md")
    if not os.path.isdir(settings.model):
        card["models"] = [settings.model]
    metadata_save(folder / "README.md", card)


def _pinned(names: str) -> str:
    """Return lines of requirements.txt: the named packages with the versions that this library requires."""
    wanted = {re.match(r"[\w-]+", line)[0].lower(): line for line in importlib.metadata.requires("u2u-hf") or []}
    return "".join(f"{wanted[name.lower()]}\n" for name in names.split())


def variables(settings: DeploySettings) -> dict[str, str]:
    """Return the variables of the Space; the page in the browser has none."""
    return {} if settings.kind == "browser" else space_settings.variables(settings)


def plan(settings: DeploySettings, folder: Path) -> str:
    """Return what `deploy` would do with the folder, in lines."""
    access = "public" if settings.public else "private"
    lines = [f"not uploaded: {folder} would be the Space {settings.space or 'OWNER/NAME'}, {access}"]
    lines += [f"variable {name} = {value}" for name, value in variables(settings).items()]
    lines += [f"secret {name} from {source}" for name, source in space_settings.secret_sources(settings).items()]
    return "\n".join(lines)


@dataclass(frozen=True)
class Page:
    """A page that runs: its address, and whether only its owners can open it."""

    address: str
    is_private: bool


def next_steps(settings: DeploySettings, page: Page | None = None) -> str:
    """Return the verdict on the page, and what to do next.

    Args:
        page: from `deploy`, unless it is a dry run. It may be private though the settings say public: a Space that was
            private stays so.
    """
    if not page:
        command = _command(
            dataclasses.replace(settings, dry_run=False, output_dir="", space=settings.space or "OWNER/NAME")
        )
        return f"\nNothing was uploaded. To make the page:\n\n  {command}"
    if not page.is_private:
        return "\nThe page is public: everybody can use it. Transcribe a recording there as a test before you share it."
    still = ", as its Space was before" if settings.public else ""
    return f"""
The page is private{still}: only you, or your organisation's members, can open it. Transcribe a recording there as a
test. To let everybody use it, change its visibility in its settings:

  {page.address}/settings"""


def _command(settings: DeploySettings) -> str:
    """Return the command of deploy.py with these settings."""
    words = ["python", "recipes/deploy.py"]
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if value != field.default:
            words += [f"--{field.name}"] if value is True else [f"--{field.name}", str(value)]
    return shlex.join(words)


def deploy(settings: DeploySettings, folder: Path, say: Callable[[str], object] = print) -> Page:
    """Create or update the Space from `build`'s folder, in one commit, and return its page once it runs.

    A new Space is private unless `public`; a private one stays private. Secrets come only from the environment
    variables that the settings name: the user's own login is not copied.

    Raises:
        U2UError: the user may not do this, the Space cannot read the model, the token may write, or the Space does not
            start.
    """
    secrets = _secrets(settings)
    api = HfApi()
    if settings.kind == "gradio":
        _check_model(settings, "HF_TOKEN" in secrets or _has_token(api, settings.space))
    sdk = "static" if settings.kind == "browser" else "gradio"
    is_private = check_push(settings.space, "space", settings.public, space_sdk=sdk)
    if settings.kind == "gradio":
        try:
            _set_up(api, settings, secrets)
        except Exception as error:  # the Hub's client raises many classes
            raise U2UError(f"{settings.space}: cannot be set up: {hub_problem(error, 'write')}") from error
    push_folder(folder, settings.space, "space", settings.public)
    say("uploaded; the Hub is building the page, which takes some minutes the first time")
    try:
        stage = api.wait_for_space(settings.space, timeout=_WAIT_SECONDS, poll_interval=2).stage
    except TimeoutError as error:
        raise U2UError(
            f"{settings.space}: is still being built after 30 minutes: see {_address(settings.space)}"
        ) from error
    except Exception as error:  # the Hub's client raises many classes
        raise U2UError(f"{_address(settings.space)}: was uploaded; is it running? {hub_problem(error)}") from error
    if stage not in ("RUNNING", "SLEEPING"):
        raise U2UError(f"{settings.space}: does not run (stage {stage}): {_last_lines(api, settings.space, stage)}")
    return Page(_address(settings.space), is_private)


def _set_up(api: HfApi, settings: DeploySettings, secrets: Mapping[str, str]) -> None:
    """Set the variables and secrets of a Space; variables that have the value already are left, as each restarts it."""
    known = api.get_space_variables(settings.space)
    for key, value in variables(settings).items():
        if key not in known or known[key].value != value:
            api.add_space_variable(settings.space, key, value)
    for key, value in secrets.items():
        api.add_space_secret(settings.space, key, value)


def _address(space: str) -> str:
    return f"{huggingface_hub.constants.ENDPOINT}/spaces/{space}"


def _secrets(settings: DeploySettings) -> dict[str, str]:
    found = {}
    for secret, variable in space_settings.secret_sources(settings).items():
        found[secret] = os.environ.get(variable, "")
        if not found[secret]:
            raise U2UError(f"{variable}: this environment variable is empty: set it first, or give no name")
    if token := found.get("HF_TOKEN"):
        try:
            access = HfApi().whoami(token=token)["auth"]["accessToken"]
        except Exception as error:
            unknown = getattr(getattr(error, "response", None), "status_code", None) == 401
            problem = "the Hub does not know this token" if unknown else hub_problem(error)
            raise U2UError(f"{settings.token_from}: {problem}") from error
        if _may_write(access):
            raise U2UError(f"{settings.token_from}: this token may write: create a token on the Hub that may only read")
    return found


def _may_write(access: Mapping[str, Any]) -> bool:
    """Return whether a token may write anything, by what the Hub says of it.

    The permissions of a fine-grained token are words such as ``repo.content.read``, ``repo.write`` and
    ``inference.serverless.write``: for some repos or owners (scoped), or everywhere (global).
    """
    fine = access.get("fineGrained") or {}
    scoped = [name for scope in fine.get("scoped") or [] for name in scope.get("permissions") or []]
    return access["role"] == "write" or any("write" in name for name in (*scoped, *(fine.get("global") or [])))


def _has_token(api: HfApi, space: str) -> bool:
    try:
        return "HF_TOKEN" in api.get_space_secrets(space)
    except Exception:  # the Space does not exist yet; `check_push` reports other problems
        return False


def _check_model(settings: DeploySettings, has_token: bool) -> None:
    try:
        info = HfApi().model_info(settings.model, revision=settings.revision or None)
    except Exception as error:
        raise U2UError(f"{_named(settings)}: {hub_problem(error)}") from error
    if (info.private or info.gated) and not has_token:
        raise U2UError(
            f"{settings.model}: is private, and the Space could not read it: create a token on the Hub that may only "
            "read it, put it into an environment variable, and give its name as --token_from"
        )


def _named(settings: DeploySettings) -> str:
    return f"{settings.model} at {settings.revision}" if settings.revision else settings.model


def _last_lines(api: HfApi, space: str, stage: str) -> str:
    try:
        lines = list(api.fetch_space_logs(space, build="BUILD" in stage))
    except Exception:
        lines = []
    told = [line.strip() for line in lines if line.strip()][-3:]
    return " / ".join(told) or f"see the log on {_address(space)}"
