"""Train on a rented computer of the Hugging Face Hub, which is paid by the minute, and keep all of it private.

    python recipes/remote.py
    python recipes/remote.py --flavor t4-small --secret HF_TOKEN -- train.py --dataset ana/data --push_to ana/ears
    python recipes/remote.py --watch JOB
    python recipes/remote.py --cancel JOB
    python recipes/remote.py --fetch ana/ears --output_dir my_model

You have no GPU and have never rented one? This is all:

 1. Make an account at huggingface.co and buy credit there (Settings, Billing): five dollars pay for several trainings.
    Make a token with write access (Settings, Access Tokens), and log in on this computer: hf auth login
 2. Push your dataset: prepare.py --push_to ana/data, where ana is your name there. It is private: only you can read it.
 3. The first command above lists the computers ("flavors") with their prices. For mHuBERT-147 a t4-small is enough.
 4. The second command says what it costs at most, what it reads, uploads and writes, and asks. Only your yes starts it.
    After the -- stands a recipe with its settings, which all are on the Hub: the rented computer cannot see yours.
 5. Its log comes here. Ctrl-C asks whether the job shall end or go on; it also goes on while your computer is off.
    Checkpoints and model are pushed to ana/ears, private. Then evaluate.py --model ana/ears and all other recipes work.
    --fetch downloads the model into a folder, as if it had been trained here.

The job ends by itself, and costs nothing after that. Its training gets --time_budget but for a fifth, at most 15
minutes, in which packages are installed and the model is pushed. If the job was stopped before its time, it is resumed
once, within the price that you agreed to. If it was stopped at its end, the same command resumes it and asks again.
Only train.py without --untranscribed can be resumed; all else starts again from the beginning, and costs again.

The token goes to the job as an encrypted secret, and stands in no command, log or page. --secret HF_TOKEN passes on
your login. Safer is a second token that may only read ana/data and ana/u2u-hf-code and write to ana/ears, in a variable
of another name.
"""

import dataclasses
import sys
from pathlib import Path

from u2u_hf import cli
from u2u_hf.hub.fetch import fetch_model
from u2u_hf.hub.jobs import cancel, cancelled, hardware, hardware_table
from u2u_hf.hub.rental import Rented, attended, watched
from u2u_hf.hub.rental_plan import RECIPES, Rental, described, make_plan
from u2u_hf.records import U2UError
from u2u_hf.settings import setting


@dataclasses.dataclass
class Arguments:
    yes: bool = setting(False, help="agree to the price and the upload without being asked, for scripts")
    watch: str = setting("", help="show the log of a job that runs or has ended, by its id")
    cancel: str = setting("", help="end a job, by its id: it costs nothing after that")
    fetch: str = setting("", help="download a trained model, OWNER/NAME, into --output_dir; nothing is rented")
    output_dir: str = setting("", help="with --fetch: folder for the model; one that is there is renamed")

    def __post_init__(self):
        if bool(self.fetch) != bool(self.output_dir):
            raise U2UError("--fetch OWNER/NAME and --output_dir FOLDER belong together: give both or none")


def main() -> None:
    words, command = _divided(sys.argv[1:])
    args, rental = cli.parse(Arguments, Rental, description=__doc__, argv=words)
    if args.cancel:
        print(cancelled(cancel(args.cancel)))
    elif args.watch:
        print(attended(lambda: watched(args.watch, _write), lambda: args.watch, _agreed))
    elif args.fetch:
        before = fetch_model(args.fetch, Path(args.output_dir))
        print(f"model: {args.output_dir}", *([f"the one that was there: {before}"] if before else []), sep="\n")
    elif not rental.flavor:
        print(hardware_table(hardware()))
        print("give one of them as --flavor; --help explains the whole way")
    else:
        recipe = _recipe(command)
        plan = make_plan(recipe, cli.understood(recipe, [*command[1:], "--output_dir", "model"]), rental)
        print(described(plan))
        if not args.yes and not _agreed("Start it? [y/N] "):
            print("nothing was started or uploaded")
            return
        rented = Rented(plan, _write)
        rented.begin()
        print(attended(rented.follow, lambda: rented.job.id, _agreed))


def _divided(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the words before and after the first ``--``."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _recipe(command: list[str]) -> Path:
    name = Path(command[0]).name if command else ""
    if name not in RECIPES:
        raise U2UError(f"after -- give one of {', '.join(RECIPES)} with its settings, not {name or 'nothing'}")
    return Path(__file__).parent / name


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):  # nobody is there, or leaves
        print()
        return False


def _write(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    cli.launch(main)
