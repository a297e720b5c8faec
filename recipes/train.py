"""Fine-tune a speech model on a prepared dataset.

    accelerate launch recipes/train.py --dataset my_dataset --output_dir my_model
    accelerate launch recipes/train.py --dataset my_dataset --output_dir my_model --time_budget 2h30m
    accelerate launch recipes/train.py --dataset my_dataset --output_dir my_model --untranscribed my_recordings/
    accelerate launch recipes/train.py --dataset my_dataset --output_dir my_model --resume

Starts from utter-project/mHuBERT-147 unless --model names another model: HuBERT, wav2vec 2.0 (XLS-R, MMS), WavLM,
Wav2Vec2-BERT or Omnilingual ASR CTC. OUTPUT_DIR then holds the checkpoint, or the average of the last weights, with the
lowest character error rate on the validation split, as transformers.pipeline("automatic-speech-recognition",
OUTPUT_DIR) loads it, and calibration.json, what its confidence says of errors, as the validation split tells. A run may
be stopped at any moment: the same command with --resume resumes from the last checkpoint; with --push_to also from the
one on the Hub.
With --untranscribed, the run's steps or time are shared by stages: fine-tuning as without it, then training on the
recordings that nobody transcribed. Validation chooses the stage whose model is kept, and what is not speech of this
language costs its time only. Finding speech takes at most a tenth of --time_budget. Checkpoints of such a run are not
pushed to the Hub. What the recordings share with the dataset is left out, by its sound, and recordings named as one in
the validation or test split; where they are a prepared dataset, utterances with the same sound, and recordings by name.
Every argument of transformers.TrainingArguments works too; --help_all lists them.
"""

import dataclasses
from pathlib import Path

from datasets import Dataset, DatasetDict

from u2u_hf import cli, output_folder
from u2u_hf.command_line.statuses import DONE, STOPPED
from u2u_hf.data.dataset import load_splits, require_split
from u2u_hf.doctor.doubts import without_doubted
from u2u_hf.evaluation.calibration_fit import calibrate
from u2u_hf.evaluation.closing import after_training
from u2u_hf.hub.push import Push, check_push, push_folder
from u2u_hf.model_folder import CURVES, SETTINGS
from u2u_hf.publishing.cards.model import write_model_card
from u2u_hf.recognition.model import DEFAULT_MODEL
from u2u_hf.recognition.recognizer import Recognizer
from u2u_hf.settings import changed, setting
from u2u_hf.training.arguments import CtcTrainingArguments
from u2u_hf.training.checkpoints import HubCheckpoints, is_finished
from u2u_hf.training.curves import training_curves
from u2u_hf.training.float16 import numbers
from u2u_hf.training.peak_memory import peak_memory
from u2u_hf.training.run import Stopped, train
from u2u_hf.training.stage_record import FINISHED, check, holds_stages, tidy
from u2u_hf.training.stage_record import FOLDER as STAGES
from u2u_hf.training.stages import train_in_stages
from u2u_hf.transcription.untranscribed import untranscribed_speech


@dataclasses.dataclass
class Arguments:
    dataset: str = setting(help="prepared dataset: a folder, or OWNER/NAME on the Hub")
    model: str = setting(DEFAULT_MODEL, help="pre-trained model: a folder, or OWNER/NAME on the Hub")
    doubts: str = setting("", help="folder of doctor.py: utterances that it doubts are left out of the training split")


def main() -> int:
    args, push, training = cli.parse(Arguments, Push, CtcTrainingArguments, description=__doc__)
    output_dir = Path(training.output_dir)
    if training.process_index == 0:
        output_folder.check(output_dir, "train.py")
        if push.push_to:
            check_push(push.push_to, "model", push.public)
        output_folder.claim(output_dir, "train.py")
    if training.resume and is_finished(output_dir, changed(args, training)):
        if training.process_index == 0:
            on = "this run is finished; to train on, give a higher --max_steps or --time_budget"
            print(f"{output_dir}: {FINISHED if holds_stages(output_dir) else on}")
            if training.untranscribed:
                tidy(output_dir)  # the run may have been killed before
            if push.push_to:
                print(f"on the Hub: {push_folder(output_dir, push.push_to, 'model', push.public)}")
        return DONE
    check(training)
    splits = load_splits(args.dataset)
    if args.doubts:
        splits["train"] = sure(require_split(splits, "train", args.dataset), args.doubts, training.process_index == 0)
    try:
        if training.untranscribed and (rows := speech(training, splits)):
            trained = train_in_stages(args.model, splits, args.dataset, training, rows)
        else:
            callbacks = [HubCheckpoints(push.push_to, push.public)] if push.push_to else []
            trained = train(args.model, splits, args.dataset, training, callbacks=callbacks, push_to=push.push_to)
    except Stopped as stopped:
        print(f"stopped at {stopped}; the same command with --resume resumes there")
        return STOPPED
    if training.process_index == 0:
        memory = peak_memory(training.device, training.world_size)
        training_curves(trained.log_history, output_dir / CURVES)
        write_model_card(
            output_dir,
            base_model=args.model,
            dataset=args.dataset,
            splits=splits,
            scores=trained.scores,
            settings=changed(args, training),
            steps=trained.steps,
            seconds=trained.seconds,
            memory=memory,
            numbers=" ".join(filter(None, (numbers(trained.log_history), trained.account))),
            repo_id=push.push_to,
        )
        print(calibrate(Recognizer(output_dir), splits["validation"], None, output_dir))
        cli.save(output_dir / SETTINGS, args, training)
        if training.untranscribed:
            tidy(output_dir)
        print(f"memory: at most {memory}")
        print(f"curves: {output_dir / CURVES}")
        print(f"model: {output_dir}")
        if push.push_to:
            print(f"on the Hub: {push_folder(output_dir, push.push_to, 'model', push.public)}")
        print(after_training(trained.scores, training.output_dir, args.dataset))
    return DONE


def sure(train: Dataset, doubts: str, tells: bool) -> Dataset:
    """Return the training split without what --doubts says, and print how much that is."""
    kept = without_doubted(train, Path(doubts))
    minutes = (sum(train["duration"]) - sum(kept["duration"])) / 60
    if tells:
        print(
            f"{train.num_rows - kept.num_rows} of {train.num_rows} utterances ({minutes:.1f} min) are doubted: left out"
        )
    return kept


def speech(training: CtcTrainingArguments, splits: DatasetDict) -> Dataset | None:
    """Return the speech of --untranscribed, if there is any, and print how much there is and what is not in it."""
    folder = Path(training.output_dir, STAGES, "speech")
    # A tenth of the time at most: the stages need the rest.
    seconds = training.budget_seconds and 0.1 * training.budget_seconds
    found = untranscribed_speech(
        training.untranscribed, folder, splits, training.untranscribed_hours, training.seed, seconds
    )
    if training.process_index == 0:
        print(f"{found.hours:.2f} hours of speech without transcripts", *found.remarks, sep="\n! ")
    return found.rows


if __name__ == "__main__":
    cli.launch(main)
