"""Run all steps on a synthetic corpus, offline, in a few minutes: annotations → recogniser → ELAN transcripts.

    python recipes/quickstart.py

Makes synthetic field recordings with ELAN files, prepares a dataset, fine-tunes the tiny demonstration model,
scores it, and transcribes new recordings. Each step is one of the other recipes. Its command is printed, so that you
can run it on your own data. A run that was stopped resumes where it stopped.
"""

import dataclasses
from pathlib import Path

from u2u_hf import cli
from u2u_hf.demo.quickstart import run
from u2u_hf.settings import setting


@dataclasses.dataclass
class Arguments:
    output_dir: str = setting("quickstart", help="folder for everything the demonstration makes")


def main() -> None:
    (args,) = cli.parse(Arguments, description=__doc__)
    print(run(Path(args.output_dir), Path(__file__).parent))


if __name__ == "__main__":
    cli.launch(main)
