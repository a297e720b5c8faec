"""The quickstart: runs each recipe as a user would, and scores the transcripts."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from u2u_hf import output_folder
from u2u_hf.command_line.recipe_commands import shown
from u2u_hf.demo.corpus import LANGUAGE, make_demo_corpus
from u2u_hf.evaluation.metrics import error_rates
from u2u_hf.formats.eaf import read_eaf
from u2u_hf.records import Tier, U2UError

BASE_MODEL = Path(__file__).parent / "base"


def run(output_dir: Path, recipes: Path) -> str:
    """Make the demo corpus, run every recipe on it, write ``report.json``.

    Args:
        recipes: the folder of the recipes; ``demo/*.yaml`` there holds the demo's settings.

    Returns:
        the verdict and the next commands.

    Raises:
        U2UError: a recipe failed, after printing the reason; or the folder holds something else.
    """
    output_folder.claim(output_dir, "quickstart.py")
    begun = time.monotonic()
    demo, dataset, model, scores, transcripts = (
        output_dir / name for name in ("demo", "dataset", "model", "scores", "transcripts")
    )
    print(f"A synthetic corpus: {LANGUAGE}. No person speaks in it.")
    if not (demo / "done").exists():
        make_demo_corpus(demo)
        (demo / "done").touch()
    for step in _steps(demo, dataset, model, scores, transcripts, recipes):
        print(f"\n{step.title}\n  {shown(step.command, Path.cwd())}", flush=True)
        if step.result and step.result.exists():
            print("  was done already")
        elif subprocess.run(step.command, check=False).returncode:
            raise U2UError(f"the step failed: {step.title} (see the line above)")
    report = _score(demo / "reference", transcripts)
    report["channels_right"], report["channels"] = _channels_right(demo / "reference", dataset)
    test = json.loads((scores / "metrics.json").read_text(encoding="utf-8"))
    report |= {"test_cer": test["cer"], "test_wer": test["wer"], "seconds": round(time.monotonic() - begun, 1)}
    output_folder.write(output_dir / "report.json", json.dumps(report, ensure_ascii=False, indent=2) + "\n")
    return _closing(report, output_dir)


@dataclass(frozen=True)
class Step:
    """A recipe's command. It is skipped if its `result` exists; with None it always runs."""

    title: str
    result: Path | None
    command: list[str]


def _steps(demo: Path, dataset: Path, model: Path, scores: Path, transcripts: Path, recipes: Path) -> list[Step]:
    def command(start: list[str], *rest: str | Path) -> list[str]:
        return [*start, *map(str, rest)]

    python = [sys.executable]
    accelerate = command([sys.executable, "-m", "accelerate.commands.launch"], "--quiet", "--config_file")
    accelerate.append(str(recipes / "accelerate" / "cpu.yaml"))
    yaml = recipes / "demo"
    prepare = [recipes / "prepare.py", "--config", yaml / "prepare.yaml", "--corpus", demo / "corpus"]
    train = [recipes / "train.py", "--resume", "--config", yaml / "train.yaml", "--dataset", dataset]
    evaluate = [recipes / "evaluate.py", "--model", model, "--dataset", dataset, "--split", "test"]
    transcribe = [recipes / "transcribe.py", "--model", model, "--output_dir", transcripts]
    return [
        Step(
            "1/4  prepare: annotations and recordings → a dataset",
            dataset / "report.json",
            command(python, *prepare, "--output_dir", dataset),
        ),
        Step(
            "2/4  train: the tiny demonstration model learns the language",
            model / "train.yaml",
            command(accelerate, *train, "--model", BASE_MODEL, "--output_dir", model),
        ),
        Step(
            "3/4  evaluate: sentences that were not in training",
            scores / "metrics.json",
            command(python, *evaluate, "--output_dir", scores),
        ),
        Step(
            "4/4  transcribe: new recordings → ELAN",
            None,
            command(python, *transcribe, demo / "new_recordings"),
        ),
    ]


def _score(reference: Path, transcripts: Path) -> dict[str, Any]:
    """Return the error rates of the new recordings' transcripts.

    For each recording and speaker, the whole reference is compared with the whole hypothesis for the speaker's channel:
    words that are missing, doubled or on the wrong channel are errors.
    """
    channels = _channels(reference)
    references, hypotheses = [], []
    for path in sorted(reference.glob("*.eaf")):
        written = {tier.name: tier for tier in read_eaf(transcripts / path.name).tiers}
        for tier in read_eaf(path).tiers:
            if tier.linguistic_type == "transcription":
                references.append(_text(tier))
                hypotheses.append(_text(written.get(f"channel {channels[path.stem][tier.participant] + 1}")))
    sample = {"reference": references[0][:76], "hypothesis": hypotheses[0][:76]}
    return error_rates(hypotheses, references) | {"sample": sample}


def _text(tier: Tier | None) -> str:
    return " ".join(a.value.strip() for a in tier.annotations if a.value.strip()) if tier else ""


def _channels(reference: Path) -> dict[str, dict[str, int]]:
    return json.loads((reference / "channels.json").read_text(encoding="utf-8"))


def _channels_right(reference: Path, dataset: Path) -> tuple[int, int]:
    """Return how many speakers the preparation put on the right channel, and how many there are."""
    truth = _channels(reference)
    found = json.loads((dataset / "report.json").read_text(encoding="utf-8"))["channels"]
    right = [
        truth[row["recording"].split("/")[-1].split("_ed-")[0]][row["tier"].split("_")[0]] == row["channel"]
        for row in found
    ]
    return sum(right), len(right)


def _closing(report: dict[str, Any], output_dir: Path) -> str:
    return f"""
Done in {report["seconds"] / 60:.1f} minutes. The speech is synthetic: these scores say nothing about real recordings.

  transcripts to open in ELAN   {output_dir / "transcripts"}
  new recordings                character error rate {report["cer"]:.1%}, word error rate {report["wer"]:.1%}
  test sentences                character error rate {report["test_cer"]:.1%}, word error rate {report["test_wer"]:.1%}
  speakers on the right channel {report["channels_right"]} of {report["channels"]}
  reference    {report["sample"]["reference"]}
  hypothesis   {report["sample"]["hypothesis"]}

Next, with your own data (the base model, utter-project/mHuBERT-147, is downloaded once; a GPU helps):

  python recipes/prepare.py --corpus MY_ELAN_FOLDER --output_dir my_dataset
  accelerate launch --quiet recipes/train.py --dataset my_dataset --output_dir my_model
  python recipes/transcribe.py --model my_model --output_dir my_transcripts MY_NEW_RECORDINGS
"""
