"""What becomes of a finished recogniser: faster, in ELAN and Praat, on the Hub."""

from collections.abc import Mapping

from parts import View, button, choice, element, field_of, joined_if, log_of, paragraph, run_note, section, terminal
from screen_rented import login_note

from u2u_hf.model_folder import EXPORT_REPORT, ONNX
from u2u_hf.project import runs
from u2u_hf.project.commands import share_commands
from u2u_hf.project.rented import is_repository
from u2u_hf.reports.html import Markup

WAYS = ("export", "elan", "praat", "push", "deploy")
ONLINE = ("push", "deploy")


def destination(draft: Mapping[str, str]) -> tuple[str, str, str, str]:
    """Return repository, page, kind of page and variable of its token, as typed; an invalid name is empty."""
    repository, space, token = (draft.get(name, "").strip() for name in ("repository", "space", "token_from"))
    kind = "gradio" if draft.get("kind") == "gradio" else "browser"
    return repository if is_repository(repository) else "", space if is_repository(space) else "", kind, token


def share_screen(view: View) -> Markup:
    say, project = view.say, view.project
    assert project
    return element(
        "form",
        paragraph(say("about_share", folder=str(project.model))),
        *(section(say(f"share_{way}"), *_way(view, way)) for way in WAYS),
    )


def _way(view: View, way: str) -> list[Markup | None]:
    say, project = view.say, view.project
    assert project
    where = destination(view.tab.draft)
    repository, space, kind, _ = where
    command = share_commands(project, *where).get(way)
    parts = [paragraph(say(_about(way, kind))), login_note(view) if way in ONLINE else None, *_fields(view, way, kind)]
    is_exported = (project.model / ONNX / EXPORT_REPORT).is_file()
    if not is_exported and (way in ("elan", "praat") or (way == "deploy" and kind == "browser")):
        return [*parts, paragraph(say("share_first", button=say("share_export")), "note")]
    run = runs.find(project.folder, way)
    running = bool(run and run.state == runs.RUNNING)
    name = {"push": repository, "deploy": space}.get(way, "")
    label = say(f"share_{way}_to", name=name) if name else say(f"share_{way}")
    act = button(say("stop"), "stop_share", value=way) if running else button(label, "share", value=way)
    return [
        *parts,
        element("div", act, class_="row"),
        element("p", say("share_busy"), class_="busy") if running else run_note(view, run),
        joined_if(log_of(view, run, name=way) if run else None),
        terminal(view, command, way) if command else None,
    ]


def _about(way: str, kind: str) -> str:
    return f"share_deploy_{kind}" if way == "deploy" else f"share_{way}_about"


def _fields(view: View, way: str, kind: str) -> list[Markup]:
    say, draft = view.say, view.tab.draft

    def field(name: str, label: str, example: str, info: str = "") -> Markup:
        return field_of(name, say(label), draft.get(name, ""), info, placeholder=example, change="draft")

    if way == "push":
        return [field("repository", "share_repository", "ana/my-language")]
    if way != "deploy":
        return []
    options = [
        choice("radio", "kind", name, say(f"share_kind_{name}"), kind == name, change="draft")
        for name in ("browser", "gradio")
    ]
    fields = [field("space", "share_space", "ana/my-language-page")]
    fields.append(element("fieldset", element("legend", say("share_kind")), *options))
    if kind == "gradio":
        fields.append(field("token_from", "share_token", "EARS_TOKEN", say("share_token_info")))
    return fields
