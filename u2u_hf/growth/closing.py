"""What a round leads to: what it came to, what to do next, and the project on the Hub."""

from __future__ import annotations

from collections.abc import Sequence

from u2u_hf.growth.drafts import QUEUE
from u2u_hf.growth.growth import rows
from u2u_hf.growth.rounds import Round
from u2u_hf.hub.push import push_folder
from u2u_hf.project.folder import Project
from u2u_hf.records import CORRECTED_TYPE
from u2u_hf.reports.quantities import length
from u2u_hf.settings import quoted


def pushed(project: Project, name: str) -> list[str]:
    """Push dataset and recogniser of a project, private; return lines that say where they are.

    Args:
        name: OWNER/NAME of the recogniser; the dataset is OWNER/NAME-data.
    """
    dataset = push_folder(project.dataset, f"{name}-data", "dataset")
    return [f"dataset: {dataset}", f"recogniser: {push_folder(project.model, name, 'model')}"]


def next_steps(project: Project, rounds: Sequence[Round]) -> str:
    """Return what the last one of some rounds came to, and what to do next."""
    last = rows(rounds)[-1]
    lines = [
        "",
        f"round {last.round}: {last.cer:.1%} of the characters wrong on held-out recordings, "
        f"{length(last.hours)} of transcribed speech in training.",
    ]
    if last.edited_share is not None:
        lines.append(f"People had to change {last.edited_share:.1%} of the drafts that they corrected.")
    lines.append(f"the report: {project.folder / 'growth.html'}")
    if (queue := project.transcripts / QUEUE).is_file():
        lines += [
            "",
            f"Next, correct what {queue} lists first: the transcripts are beside it. Give a tier that you corrected to",
            f"its end the type {CORRECTED_TYPE} (in ELAN: Tier > Change Tier Attributes). Then run this again.",
        ]
    return "\n".join(lines)


def nothing_to_learn(project: Project) -> str:
    """Return what to do where nobody changed anything since the last round."""
    places = f"--model {quoted(project.model)} --output_dir {quoted(project.transcripts)}"
    recordings = " ".join(map(quoted, project.recordings))
    return (
        f"Nobody changed anything since the last round, so there is nothing to learn. Correct what "
        f"{project.transcripts / QUEUE} lists first, then run this again. If there are only new recordings:\n\n"
        f"  python recipes/transcribe.py {places} --queue {recordings}"
    )
