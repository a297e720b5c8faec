"""Fine-tune a speech model on a prepared dataset.

    accelerate launch recipes/train.py --dataset my_dataset --output_dir my_model

Starts from utter-project/mHuBERT-147 unless --model names another HuBERT. Ends with OUTPUT_DIR holding what
transformers.pipeline("automatic-speech-recognition", OUTPUT_DIR) loads: the checkpoint with the lowest
character error rate on the validation split. Every argument of transformers.TrainingArguments works too;
they are listed below with the ones of this recipe first.
"""

import dataclasses
from pathlib import Path

from transformers import TrainingArguments

from u2u_hf import config
from u2u_hf.dataset import load_splits
from u2u_hf.hub import Push, check_push, push_folder
from u2u_hf.model import DEFAULT_MODEL
from u2u_hf.trainer import build_trainer, save_trained


@dataclasses.dataclass
class Arguments:
    dataset: str = config.setting(help="prepared dataset: a folder, or OWNER/NAME on the Hub")
    model: str = config.setting(DEFAULT_MODEL, help="pre-trained HuBERT: a folder, or OWNER/NAME on the Hub")


@dataclasses.dataclass
class Training(TrainingArguments):
    per_device_train_batch_size: int = config.setting(8, help="utterances a step and device")
    learning_rate: float = config.setting(1e-4, help="highest learning rate")
    max_steps: int = config.setting(3000, help="steps in all")
    warmup_steps: float = config.setting(0.1, help="steps, or share of all steps, until the highest learning rate")
    lr_scheduler_type: str = config.setting("cosine", help="how the learning rate falls afterwards")
    eval_strategy: str = config.setting("steps", help="when the validation split is scored")
    eval_steps: float = config.setting(0.1, help="steps, or share of all steps, between two scorings")
    save_steps: float = config.setting(0.1, help="steps, or share of all steps, between two checkpoints")
    save_total_limit: int = config.setting(2, help="checkpoints kept")
    load_best_model_at_end: bool = config.setting(True, help="end with the best checkpoint, not the last")
    metric_for_best_model: str = config.setting("cer", help="what is best: cer, wer or loss")
    greater_is_better: bool = config.setting(False, help="lower error rates are better")
    train_sampling_strategy: str = config.setting("group_by_length", help="batches of near-equal durations")
    length_column_name: str = config.setting("duration", help="column with the durations")
    remove_unused_columns: bool = config.setting(False, help="our collator needs the columns")
    report_to: list[str] = config.setting(["none"], help="where curves go: none, trackio, tensorboard…")


def main() -> None:
    args, push, training = config.parse(Arguments, Push, Training, description=__doc__)
    if push.push_to and training.process_index == 0:
        check_push(push.push_to, "model", push.public)
    splits = load_splits(args.dataset)
    trainer, processor = build_trainer(args.model, splits, args.dataset, training)
    trainer.train()
    save_trained(trainer, processor, Path(training.output_dir))
    if trainer.is_world_process_zero():
        config.save(Path(training.output_dir, "train.yaml"), args, training)
        print(f"model: {training.output_dir}")
        if push.push_to:
            print(f"on the Hub: {push_folder(training.output_dir, push.push_to, 'model', push.public)}")


if __name__ == "__main__":
    config.launch(main)
