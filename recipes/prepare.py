"""Turn annotation files and recordings into a dataset that a recogniser can be trained on.

    python recipes/prepare.py --corpus my_corpus --output_dir my_dataset --inspect
    python recipes/prepare.py --corpus my_corpus --output_dir my_dataset
    python recipes/prepare.py --corpus my_corpus --output_dir my_dataset --tiers "*SURFACE*"
    torchrun --nproc_per_node 4 recipes/prepare.py --corpus my_corpus --output_dir my_dataset

Begin with --inspect: it prepares nothing, but prints what the corpus holds and draws it in OUTPUT_DIR/report.html.

Every annotation file in the corpus folder is read, and its audio is found there by name. The tiers with
transcriptions are chosen by name; the output says why. Each annotation becomes a row: 16 kHz mono FLAC cut from the
speaker's channel, and its text after the text rules. Whole recordings go to training, validation or test. Dropped
utterances are printed with the reason, and written to OUTPUT_DIR/report.html and report.json.

OUTPUT_DIR/splits.csv lists the split of each recording. Another run into the same folder keeps these, unless a setting
of the splits changes or the file is removed; --splits gives such a file to any run.
"""

import dataclasses
from pathlib import Path

import yaml

from u2u_hf import cli, output_folder
from u2u_hf.command_line.statuses import DONE, SKIPPED
from u2u_hf.corpus.preparation import PreparationSettings, decide, inspect
from u2u_hf.corpus.split_table import sides_table
from u2u_hf.data import audio
from u2u_hf.data.dataset_writer import write_dataset
from u2u_hf.data.processes import processes
from u2u_hf.hub.push import Push, check_push, push_folder
from u2u_hf.publishing.cards.dataset import write_dataset_card
from u2u_hf.reports import terminal
from u2u_hf.reports.digest import digest
from u2u_hf.reports.html_report import html_report
from u2u_hf.reports.json_report import json_report
from u2u_hf.settings import setting

SIDES = "splits.csv"
SPLIT_SETTINGS = ("split_by", "seed", "validation_share", "test_share", "validation_hours", "test_hours")


@dataclasses.dataclass
class Arguments(PreparationSettings):
    output_dir: str = setting(help="folder for the dataset")
    inspect: bool = setting(False, help="prepare nothing; print and draw what the corpus holds")


def main() -> int:
    args, push = cli.parse(Arguments, Push, description=__doc__)
    main_process = processes().is_main_process
    corpus, output_dir = Path(args.corpus), Path(args.output_dir)
    pinned = dataclasses.replace(args, splits=args.splits or _dealt_before(args, output_dir))
    if main_process:
        output_folder.check(output_dir, "prepare.py", inputs={"--corpus": args.corpus})
        if push.push_to:
            check_push(push.push_to, "dataset", push.public)
        output_folder.claim(output_dir, "prepare.py")
    if args.inspect:
        preparation = inspect(pinned, audio)
        if main_process:
            found = digest(preparation, corpus)
            output_folder.write(output_dir / "report.html", html_report(found))
            print(terminal.inspection(found))
            print(f"\nreport: {output_dir / 'report.html'}")
            print(terminal.after_inspection(found))
        return DONE
    preparation = decide(pinned, audio)
    preparation = preparation.without(*write_dataset(preparation.splits, output_dir))
    if main_process:
        found = digest(preparation, corpus)
        output_folder.write(output_dir / "report.html", html_report(found))
        output_folder.write(output_dir / "report.json", json_report(found))
        if preparation.sides:
            output_folder.write(output_dir / SIDES, sides_table(preparation.sides, args.split_by))
        write_dataset_card(args, found, output_dir, push.push_to)
        # A dataset is pushed: what lies elsewhere nobody finds by its last part, which may be a person's name.
        also = [path for path in args.also if not Path(path).is_absolute() and ".." not in Path(path).parts]
        cli.save(output_dir / "prepare.yaml", dataclasses.replace(args, also=also))
        print(terminal.summary(found))
        print(f"dataset: {output_dir}")
        if push.push_to:
            print(f"on the Hub: {push_folder(output_dir, push.push_to, 'dataset', push.public)}")
        print(terminal.after_preparation(found, output_dir))
    return SKIPPED if preparation.has_skipped or preparation.audio_problem else DONE


def _dealt_before(args: Arguments, output_dir: Path) -> str:
    """Return the table of sides that an earlier run with the same settings of splits wrote, or the empty string."""
    table, settings = output_dir / SIDES, output_dir / "prepare.yaml"
    if output_folder.made_by(output_dir) != "prepare.py" or not (table.is_file() and settings.is_file()):
        return ""
    try:
        before = yaml.safe_load(settings.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return ""
    defaults = {field.name: field.default for field in dataclasses.fields(args)}
    before = defaults | (before if isinstance(before, dict) else {})
    return str(table) if all(before[name] == getattr(args, name) for name in SPLIT_SETTINGS) else ""


if __name__ == "__main__":
    cli.launch(main)
