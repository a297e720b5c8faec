"""What becomes of a finished recogniser: faster, in ELAN and Praat, on the Hub."""

from parts import View, button, choice, element, field_of, joined_if, log_of, paragraph, run_note, section, terminal

from u2u_hf.project import runs
from u2u_hf.project.commands import share_commands
from u2u_hf.project.steps import BLOCKED
from u2u_hf.reports.html import Markup, joined

WAYS = ("export", "elan", "praat", "push", "deploy")
ONLINE = ("push", "deploy")


def share_screen(view: View) -> Markup:
    say, project, draft = view.say, view.project, view.tab.draft
    assert project
    if view.state == BLOCKED:
        first = say("step_train")
        return joined(
            paragraph(say("blocked", step=first), "note"),
            button(say("go", step=first), "step", primary=True, value="train"),
        )
    repository, space, kind = draft.get("repository", ""), draft.get("space", ""), draft.get("kind", "browser")
    commands = share_commands(project, repository, space, kind)
    fields = {
        "push": [
            field_of("repository", say("share_repository"), repository, placeholder="ana/my-language", change="draft")
        ],
        "deploy": [
            field_of("space", say("share_space"), space, placeholder="ana/my-language-page", change="draft"),
            element(
                "fieldset",
                element("legend", say("share_kind")),
                *(
                    choice("radio", "kind", name, say(f"share_kind_{name}"), kind == name, change="draft")
                    for name in ("browser", "gradio")
                ),
            ),
        ],
    }
    parts = [paragraph(say("about_share", folder=str(project.model)))]
    for way in WAYS:
        run = runs.find(project.folder, way)
        running = bool(run and run.state == runs.RUNNING)
        act = (
            button(say("stop"), "stop_share", value=way)
            if running
            else button(say(f"share_{way}"), "share", value=way, primary=way in ONLINE)
        )
        command = commands.get(way)
        parts.append(
            section(
                say(f"share_{way}"),
                paragraph(say(f"share_{way}_about")),
                *fields.get(way, []),
                element("div", act, class_="row"),
                element("p", say("running_for", time="…"), class_="busy") if running else run_note(view, run),
                joined_if(log_of(view, run, name=way) if run else None),
                terminal(view, command, way) if command else None,
            )
        )
    return element("form", *parts)
