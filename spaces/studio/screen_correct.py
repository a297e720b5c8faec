"""The transcripts of a project, and the editor of one of them."""

from pathlib import Path

from parts import View, button, paragraph, problem, table

from u2u_hf import output_folder
from u2u_hf.project.steps import BLOCKED
from u2u_hf.reports.html import Markup, joined


def correct_screen(view: View) -> Markup:
    say, project = view.say, view.project
    assert project
    if view.state == BLOCKED:
        first = say("step_transcribe")
        return joined(
            paragraph(say("blocked", step=first), "note"),
            button(say("go", step=first), "step", primary=True, value="transcribe"),
        )
    files = sorted(project.transcripts.rglob("*.eaf"))
    if not files:
        return problem(say("not_here", folder=str(project.transcripts)))
    heads = [say("transcript"), say("corrected"), say("file")]
    rows = [(_name(path, project.transcripts), _corrected(view, path), str(path)) for path in files]
    return joined(paragraph(say("about_correct")), table(heads, rows, "transcripts"))


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _corrected(view: View, path: Path) -> str:
    assert view.project
    return view.say("no" if output_folder.wrote(view.project.transcripts, path) else "yes")
