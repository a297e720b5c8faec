"""Do one round: learn from what was corrected, write better drafts, and say what to correct next.

    python recipes/grow.py --project my_project --corpus my_corpus --recordings my_recordings
    python recipes/grow.py --project my_project
    python recipes/grow.py --project my_project --time_budget 3h

The first command makes the project: a folder that remembers where your corpus and your recordings are. It prepares the
corpus, trains a first recogniser and transcribes the recordings. Then correct some transcripts in PROJECT/transcripts,
those first that queue.tsv lists first, in ELAN or in Studio, and run the second command. It finds what you changed,
learns from it, and continues from the last recogniser. The new one is used only if it makes fewer errors on recordings
that neither ever learnt from. It then writes the drafts anew that nobody has touched, and the next queue. Repeat as
long as it pays: PROJECT/growth.html shows the error rate of every round, how much of the drafts people had to change,
and what another 30 minutes, 1 hour and 5 hours of transcribed speech would bring.

What you correct is never overwritten. Give a tier that you corrected to its end the type "corrected transcript", which
the file has ready (in ELAN: Tier > Change Tier Attributes): all of it is then learnt from, also what you left as it
was. In a tier that still has the recogniser's type, only the annotations that you changed are learnt from. Your own
corpus may grow too. Recordings that are held out for scoring stay held out for ever, and new ones are trained on.

It may be stopped at any moment, and the same command resumes. Settings for its steps are in PROJECT/prepare.yaml,
train.yaml, language_model.yaml and transcribe.yaml, as for --config of these recipes; each file may be missing. With
language_model.yaml, or once the recogniser has a language model, each round also makes one. The state of each round,
its drafts, and the recogniser that a better one replaced are in PROJECT/rounds.
"""

import dataclasses
from pathlib import Path

from u2u_hf import cli
from u2u_hf.command_line.programs import Programs
from u2u_hf.command_line.statuses import DONE, SKIPPED, STOPPED
from u2u_hf.growth.closing import next_steps, nothing_to_learn, pushed
from u2u_hf.growth.grow import growth_of, lock
from u2u_hf.growth.recipes import Recipes, Stopped
from u2u_hf.growth.wishes import wishes
from u2u_hf.hub.push import check_push
from u2u_hf.project.folder import Project
from u2u_hf.records import U2UError
from u2u_hf.settings import seconds_of, setting


@dataclasses.dataclass
class Arguments:
    project: str = setting(help="folder of the project")
    corpus: str = setting("", help="folder with your annotation files and recordings; only once, for a new project")
    recordings: list[str] = setting(
        [], help="recordings to transcribe, or folders of them (those in the corpus without a transcript)"
    )
    time_budget: str = setting(
        "", help="time for the round's trainings, such as 3h; other steps come on top (as long as train.yaml says)"
    )
    forecast: str = setting(
        "", help="how much of it is for the forecast: more makes that surer; 0s for none (a quarter of --time_budget)"
    )
    push_to: str = setting(
        "", help="push the recogniser to OWNER/NAME and the dataset to OWNER/NAME-data on the Hub, private"
    )


def main() -> int:
    [args] = cli.parse(Arguments, description=__doc__)
    project = Project(Path(args.project).absolute())
    asked = wishes(_seconds(args.time_budget), _seconds(args.forecast), args.push_to)
    _set_paths(project, args)
    if args.push_to:
        for name, kind in ((args.push_to, "model"), (f"{args.push_to}-data", "dataset")):
            check_push(name, kind)
    with lock(project), Programs() as programs:
        recipes = Recipes(project, programs.run, project.rounds / "log.txt", lambda: programs.stopped)
        growth = growth_of(project, recipes, asked)
        if growth is None:
            if args.push_to:
                print(*pushed(project, args.push_to), sep="\n")
            print(nothing_to_learn(project))
            return DONE
        try:
            growth.run()
        except Stopped:
            print("stopped; the same command resumes there")
            return STOPPED
    print(next_steps(project, [*growth.earlier, growth.round]))
    return SKIPPED if programs.skipped or growth.round.facts["changes"]["problems"] else DONE


def _seconds(given: str) -> float | None:
    return None if not given else 0 if given == "0s" else seconds_of(given)


def _set_paths(project: Project, args: Arguments) -> None:
    if args.corpus and not project.is_there:
        project.set_paths(Path(args.corpus), [Path(path) for path in args.recordings])
    elif (args.corpus and project.corpus != Path(args.corpus).absolute()) or args.recordings:
        raise U2UError(f"{project.folder / 'project.yaml'}: names corpus and recordings already: change them there")
    elif not project.is_there:
        raise U2UError(f"{project.folder}: is no project yet: give --corpus with the folder of your annotation files")


if __name__ == "__main__":
    cli.launch(main)
