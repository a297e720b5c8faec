"""Score a trained model on a split of a prepared dataset, or its training on speakers or recordings left out in turn.

    python recipes/evaluate.py --model my_model --dataset my_dataset --split test --output_dir my_scores
    python recipes/evaluate.py --model my_model --dataset my_dataset --output_dir my_scores --ignore tones punctuation
    accelerate launch recipes/evaluate.py --model my_model --dataset my_dataset --leave_out speaker --output_dir scores

Writes OUTPUT_DIR/metrics.json (word and character error rates with confidence intervals, also by speaker and
recording; 0 is perfect; how well confidence tells wrong words and worse utterances, raw and calibrated),
OUTPUT_DIR/evaluation.html (the same to look at, with the errors and the worst utterances) and OUTPUT_DIR/pairs.tsv
(reference and hypothesis of every utterance). These files name speakers and quote them; they are never pushed.

With --leave_out, recognisers are trained as MODEL was, from its base model and with the settings in its train.yaml,
each without some speakers (or recordings) of the whole dataset, and recognise these: all speech is scored, each
utterance by a recogniser that never saw it. OUTPUT_DIR/leave_out.json has the scores with intervals over speakers (or
recordings), OUTPUT_DIR/leave_out.jsonl every utterance with the confidence of its words and characters. The recognisers
are removed once they are scored. With --update_confidence, MODEL's confidence is calibrated on all of it instead of the
validation split, for recognition without a language model. With --time_budget all of it ends in that time, and the
scores are those of shorter trainings. Run the same command again to resume.
"""

import dataclasses
import json
from pathlib import Path

from u2u_hf import cli, output_folder
from u2u_hf.command_line.statuses import DONE, STOPPED
from u2u_hf.cross_validation.left_out_calibration import calibrate_on
from u2u_hf.cross_validation.page import leave_out_page
from u2u_hf.cross_validation.results import evaluation_of, summary
from u2u_hf.cross_validation.run import cross_validation
from u2u_hf.cross_validation.settings import LeaveOut
from u2u_hf.data.dataset import load_splits, require_split
from u2u_hf.data.processes import processes
from u2u_hf.evaluation.closing import after_evaluation
from u2u_hf.evaluation.html_page import evaluation_page
from u2u_hf.evaluation.reliability import reliability
from u2u_hf.evaluation.scoring import as_tsv, ignoring, measure, recognise_split
from u2u_hf.publishing.cards.model import add_scores
from u2u_hf.recognition import calibration, language_model
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.records import U2UError
from u2u_hf.settings import setting


@dataclasses.dataclass
class Arguments:
    model: str = setting(help="trained model: a folder, or OWNER/NAME on the Hub")
    dataset: str = setting(help="prepared dataset: a folder, or OWNER/NAME on the Hub")
    output_dir: str = setting(help="folder for metrics.json, evaluation.html and pairs.tsv")
    split: str = setting("", help="train, validation or test (default: test; all of them with --leave_out)")
    ignore: list[str] = setting([], help="score also without tones, punctuation, case, or any characters")
    audio: bool = setting(False, help="put the audio of the worst utterances into evaluation.html")
    update_card: bool = setting(False, help="write the scores into the model's card, README.md in its folder")

    def __post_init__(self):
        # Raise before the recognition, not after it.
        ignoring(self.ignore)
        if self.update_card and not Path(self.model).is_dir():
            raise U2UError(f"--update_card: needs the model's folder, and {self.model} is not one: download it first")


def main() -> int:
    args, leave_out = cli.parse(Arguments, LeaveOut, description=__doc__)
    return score_left_out(args, leave_out) if leave_out.leave_out else score_split(args)


def score_split(args: Arguments) -> int:
    output_dir = Path(args.output_dir)
    output_folder.claim(output_dir, "evaluate.py")
    name = args.split or "test"
    split = require_split(load_splits(args.dataset), name, args.dataset)
    own = language_model.load(args.model)
    calibrated = calibration.load(args.model).of(own)
    pairs, telling, real_time_factor = recognise_split(Recognizer(args.model), split, own)
    metrics = measure(pairs, args.ignore) | {"real_time_factor": real_time_factor}
    metrics["confidence"] = reliability(telling, calibrated)
    sounds = [split[row["row"]]["audio"]["bytes"] for row in metrics["worst"]] if args.audio else []
    output_folder.write(output_dir / "metrics.json", json.dumps(metrics, ensure_ascii=False, indent=2) + "\n")
    output_folder.write(output_dir / "pairs.tsv", as_tsv(pairs))
    html = evaluation_page(metrics, f"{Path(args.model).name} on {name}", sounds)
    output_folder.write(output_dir / "evaluation.html", html)
    if args.update_card:
        add_scores(Path(args.model), args.dataset, name, metrics)
    print(f"every error: {output_dir / 'evaluation.html'}")
    print(after_evaluation(metrics, f"{name}, {metrics['utterances']} utterances", args.model))
    return DONE


def score_left_out(args: Arguments, leave_out: LeaveOut) -> int:
    if args.update_card:
        raise U2UError("--update_card: the card has scores of a split: run without --leave_out for them")
    if args.split:
        raise U2UError(f"--split {args.split}: --leave_out scores all splits: give one of the two")
    if leave_out.update_confidence and not Path(args.model).is_dir():
        raise U2UError(f"--update_confidence: needs the model's folder, and {args.model} is not one: download it first")
    output_dir, main_process = Path(args.output_dir), processes().is_main_process
    if main_process:
        output_folder.claim(output_dir, "evaluate.py")
    todo = cross_validation(load_splits(args.dataset), args.dataset, args.model, leave_out, output_dir)
    todo.announce()
    if main_process and todo.about_length:
        print(f"! {todo.about_length}")
    found = todo.run()
    if found is None:
        print("stopped; the same command resumes there")
        return STOPPED
    if main_process:
        metrics = evaluation_of(found, leave_out.leave_out, args.ignore)
        scores = summary(metrics, found, todo)
        sounds = [todo.rows[found[row["row"]].row]["audio"]["bytes"] for row in metrics["worst"]] if args.audio else []
        output_folder.write(output_dir / "leave_out.json", json.dumps(scores, ensure_ascii=False, indent=2) + "\n")
        output_folder.write(output_dir / "pairs.tsv", as_tsv([unseen.pair for unseen in found]))
        page = leave_out_page(metrics, scores, Path(args.model).name, sounds, todo.about_length)
        output_folder.write(output_dir / "evaluation.html", page)
        if leave_out.update_confidence:
            print(calibrate_on(found, leave_out.leave_out, Path(args.model)))
        print(f"every error: {output_dir / 'evaluation.html'}")
        print(after_evaluation(metrics, f"each {leave_out.leave_out} left out", args.model))
    return DONE


if __name__ == "__main__":
    cli.launch(main)
