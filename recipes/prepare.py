"""Turn annotation files and recordings into a dataset that a recogniser can be trained on.

    python recipes/prepare.py --corpus my_corpus --output_dir my_dataset --inspect
    python recipes/prepare.py --corpus my_corpus --output_dir my_dataset
    python recipes/prepare.py --corpus my_corpus --output_dir my_dataset --tiers '*SURFACE*'
    torchrun --nproc_per_node 4 recipes/prepare.py --corpus my_corpus --output_dir my_dataset

With --inspect nothing is prepared: what the corpus holds is printed, and drawn in OUTPUT_DIR/report.html. Look at
it first.

Every annotation file under the corpus folder is read and its audio found there by name. The tiers that hold
transcriptions are chosen by name, or by rules that are printed. Each annotation becomes a row: 16 kHz mono
FLAC cut from the speaker's channel, and its text after the text rules. Whole recordings go to training,
validation or test. What was left out, and why, is printed and written to OUTPUT_DIR/report.html
and report.json.
"""

import dataclasses
from pathlib import Path

from u2u_hf import cli, output_folder
from u2u_hf.corpus.preparation import PreparationSettings, decide, inspect
from u2u_hf.data import audio
from u2u_hf.data.dataset import write_dataset
from u2u_hf.data.processes import processes
from u2u_hf.hub.push import Push, check_push, push_folder
from u2u_hf.publishing.cards.dataset import write_dataset_card
from u2u_hf.reports import report
from u2u_hf.settings import setting


@dataclasses.dataclass
class Arguments(PreparationSettings):
    output_dir: str = setting(help="folder the dataset is written to")
    inspect: bool = setting(False, help="prepare nothing; tell and draw what the corpus holds")


def main() -> int:
    args, push = cli.parse(Arguments, Push, description=__doc__)
    main_process = processes().is_main_process
    corpus, output_dir = Path(args.corpus), Path(args.output_dir)
    if main_process:
        output_folder.check(output_dir, "prepare.py", inputs={"--corpus": args.corpus})
        if push.push_to:
            check_push(push.push_to, "dataset", push.public)
        output_folder.claim(output_dir, "prepare.py")
    if args.inspect:
        preparation = inspect(args, audio)
        if main_process:
            print(report.write_inspection(preparation, corpus, output_dir))
            print(f"report: {output_dir / 'report.html'}")
        return 0
    preparation = decide(args, audio)
    preparation = preparation.without(write_dataset(preparation.splits, output_dir))
    if main_process:
        print(report.write(preparation, corpus, output_dir))
        write_dataset_card(args, preparation, output_dir, push.push_to)
        cli.save(output_dir / "prepare.yaml", args)
        print(f"dataset: {output_dir}")
        if push.push_to:
            print(f"on the Hub: {push_folder(output_dir, push.push_to, 'dataset', push.public)}")
    return 1 if preparation.skipped or preparation.audio_problem else 0


if __name__ == "__main__":
    cli.launch(main)
