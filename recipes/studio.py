"""Open Studio: the whole way by clicking, from ELAN files to a recogniser and back, in a browser of this computer.

    python recipes/studio.py
    python recipes/studio.py --project my_language
    python recipes/studio.py --project my_language --port 8080 --no_browser

Needs the packages of the page: pip install -e ".[space]".

A project is a folder. Studio shows how far it is and what comes next: look at the corpus, prepare a dataset, train,
score, transcribe, correct, share. Each step runs one of the other recipes and shows its command, with the same files:
what you do in a terminal is seen in Studio, and the other way round.

    PROJECT/project.yaml                 where the corpus and the recordings are
    PROJECT/prepare.yaml, train.yaml     your settings, for the recipes' --config
    PROJECT/dataset, model, scores, transcripts

You may close the page or end Studio at any time: a training goes on. Start Studio again to see it, or to stop it.

Studio serves this computer only, and its address has a secret: give it to nobody. It sends nothing to another computer
unless you press a button that says so: to download a base model, or to push to the Hugging Face Hub.
"""

import dataclasses
import importlib
import importlib.util
import sys
from pathlib import Path

from u2u_hf import cli
from u2u_hf.records import U2UError
from u2u_hf.settings import setting


@dataclasses.dataclass
class Arguments:
    project: str = setting("", help="folder of the project to open; made if there is none (default: Studio asks)")
    port: int | None = setting(None, help="port of the page on this computer (default: the first free one from 7870)")
    browser: bool = setting(True, help="open the page in your browser")


def main() -> None:
    (args,) = cli.parse(Arguments, description=__doc__)
    if importlib.util.find_spec("gradio") is None:
        raise U2UError('Studio needs gradio: install it with pip install -e ".[space]"')
    sys.path.insert(0, str(Path(__file__).parents[1] / "spaces" / "studio"))
    listening = importlib.import_module("ports").listen(args.port)
    serve = importlib.import_module("server").serve
    serve(Path(args.project) if args.project else None, listening, args.browser)


if __name__ == "__main__":
    cli.launch(main)
