"""Turn annotation files and recordings into a dataset that a recogniser can be trained on.

    python recipes/prepare.py --corpus my_corpus --output_dir my_dataset
    python recipes/prepare.py --corpus my_corpus --output_dir my_dataset --tiers '*SURFACE*'

Every .eaf under the corpus folder is read and its audio found there by name. The tiers that hold
transcriptions are chosen by name, or by rules that are printed. Each annotation becomes a row: 16 kHz mono
FLAC cut from the speaker's channel, and its text after the text rules. Whole recordings go to training,
validation or test. What was left out, and why, is printed and written to OUTPUT_DIR/report.json.
"""

import dataclasses
import json
from pathlib import Path

from u2u_hf import config, corpus, filters, report
from u2u_hf.channels import assign_channels
from u2u_hf.dataset import write_dataset
from u2u_hf.files import write_text
from u2u_hf.hub import Push, check_push, push_folder
from u2u_hf.splits import split
from u2u_hf.text import DEFAULT_RULES, TextRules


@dataclasses.dataclass
class Arguments:
    corpus: str = config.setting(help="folder with the annotation files and the recordings")
    output_dir: str = config.setting(help="folder the dataset is written to")
    tiers: list[str] = config.setting([], help="names of the tiers with transcriptions; * and ? are wildcards")
    rules: list[dict] = config.setting(list(DEFAULT_RULES), help="text rules, in a --config file: see u2u_hf/text.py")
    min_seconds: float = config.setting(0.3, help="shorter utterances are left out")
    max_seconds: float = config.setting(20.0, help="longer utterances are left out")
    split_by: str = config.setting(
        "recording",
        help="what stays on one side: recording, speaker or utterance",
        choices=["recording", "speaker", "utterance"],
    )
    validation_share: float = config.setting(0.1, help="of the hours, for choosing the best checkpoint")
    test_share: float = config.setting(0.1, help="of the hours, for the final scores")
    allow_repeated_sentences: bool = config.setting(False, help="let validation and test repeat sentences of training")
    seed: int = config.setting(0, help="another seed deals recordings otherwise")


def main() -> int:
    args, push = config.parse(Arguments, Push, description=__doc__)
    if push.push_to:
        check_push(push.push_to, "dataset", push.public)
    output_dir = Path(args.output_dir)
    rules = TextRules(args.rules)
    recordings, skipped = corpus.read_corpus(args.corpus)
    tiers, why = corpus.choose_tiers(recordings, args.tiers)
    checks = [filters.empty, filters.duration(args.min_seconds, args.max_seconds), filters.too_few_frames]
    usable, dropped = filters.apply(corpus.utterances(recordings, tiers, rules), checks)
    usable, choices, without_audio = assign_channels(usable)
    splits, repeated = split(
        usable, args.split_by, args.validation_share, args.test_share, args.seed, args.allow_repeated_sentences
    )
    write_dataset(splits, output_dir)
    summary = report.preparation_report(
        splits, skipped, dropped + without_audio + repeated, choices, why, rules.touched
    )
    write_text(output_dir / "report.json", json.dumps(summary, ensure_ascii=False, indent=2) + "\n")
    config.save(output_dir / "prepare.yaml", args)
    print(report.in_words(summary))
    print(f"dataset: {output_dir}")
    if push.push_to:
        print(f"on the Hub: {push_folder(output_dir, push.push_to, 'dataset', push.public)}")
    return 1 if skipped or without_audio else 0


if __name__ == "__main__":
    config.launch(main)
