"""The card of a trained model."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers
import yaml
from datasets import Dataset
from huggingface_hub import DatasetCard, EvalResult, ModelCard, ModelCardData, RepoCard
from huggingface_hub.repocard_data import CardData

from u2u_hf import __version__, output_folder
from u2u_hf.data.processes import processes
from u2u_hf.publishing.cards.markdown import indented, table, text
from u2u_hf.recognition.model import DEFAULT_MODEL
from u2u_hf.records import U2UError
from u2u_hf.reports.characters import shown
from u2u_hf.reports.survey import length

_TASK = "automatic-speech-recognition"
# Of the base model everybody starts from, should its card not be to be had: nobody may take it for free of terms.
_LICENCES = {DEFAULT_MODEL: "cc-by-nc-sa-4.0"}
_SAID = ("dataset", "model", "output_dir")  # of the settings
_BEGIN, _END = "<!-- scores -->", "<!-- end of scores -->"
_ONNX_BEGIN, _ONNX_END = "<!-- onnx -->", "<!-- end of onnx -->"
_HEADS = ("split", "dataset", "utterances", "WER", "CER")


def write_model_card(
    output_dir: Path,
    *,
    base_model: str,
    dataset: str,
    splits: Mapping[str, Dataset],
    scores: Mapping[str, float],
    settings: Mapping[str, Any],
    steps: int,
    seconds: float,
    repo_id: str = "",
) -> None:
    """Write the card of a trained model, ``README.md``, into its folder.

    It shows ``training_curves.png`` if that is in the folder. Nothing in it tells who speaks, what was said, or where
    on whose computer. What is unknown is left out.

    Args:
        base_model: folder or Hub name of what was fine-tuned; its card says the licence.
        dataset: folder or Hub name of the prepared dataset; its card says the language.
        splits: the dataset itself.
        scores: of the validation split, ``wer`` and ``cer`` (0…1 and above); `add_scores` says what else.
        settings: those that differ from the defaults, as `config.changed` tells them.
        steps: of the optimizer. seconds: that the training took, all in all.
        repo_id: where the model is pushed, if it is.

    Raises:
        U2UError: it cannot be written.
    """
    base, theirs = _front_matter(base_model, ModelCard), _front_matter(dataset, DatasetCard)
    licence = base.get("license", _LICENCES.get(base_model))
    title = repo_id.split("/")[-1] or output_dir.resolve().name
    data = ModelCardData(
        language=theirs.get("language"),
        license=licence,
        license_name=base.get("license_name"),
        license_link=base.get("license_link"),
        base_model=base.get("base_model") if Path(base_model).is_dir() else base_model,
        datasets=None if Path(dataset).is_dir() else [dataset],
        library_name="transformers",
        pipeline_tag=_TASK,
        tags=["hubert", "ctc", "u2u-hf"],
        metrics=["wer", "cer"],
        model_name=title,
    )
    alphabet = sorted(set().union(*splits["train"]["text"]))
    card = ModelCard.from_template(
        data,
        template_path=str(Path(__file__).with_name("model.md")),
        title=text(title),
        languages=text(", ".join(_listed(theirs.get("language_bcp47") or theirs.get("language")))),
        base=text(_name(base_model)),
        length=length(_hours(splits["train"])),
        data=_data(splits),
        dataset=text(theirs.get("pretty_name") or _name(dataset)),
        dataset_licence=text(", ".join(_listed(theirs.get("license")))),
        character_count=len(alphabet),
        alphabet=text(" ".join(map(shown, alphabet))),
        licence=text(licence or ""),
        source=repo_id or "OWNER/NAME",
        made=f"Training took {length(seconds / 3600)} ({steps:,} steps) on {_hardware()}.",
        curves=(output_dir / "training_curves.png").is_file(),
        version=__version__,
        libraries=f"transformers {transformers.__version__}, torch {torch.__version__}",
        settings=_settings(settings),
    )
    _put_scores(card, dataset, "validation", {"utterances": len(splits["validation"]), **scores})
    output_folder.write(output_dir / "README.md", str(card))


def add_scores(model_dir: Path, dataset: str, split: str, scores: Mapping[str, Any]) -> None:
    """Put a split's scores into the card of a model, in the place of those it had of the same split.

    Args:
        dataset: folder or Hub name.
        scores: ``utterances``, ``wer`` and ``cer`` (0…1 and above), their 95% confidence intervals ``wer_low``,
            ``wer_high``, ``cer_low``, ``cer_high`` if known, and the same under ``ignoring`` with ``what`` was ignored.

    Raises:
        U2UError: there is no card that `write_model_card` wrote, or it cannot be written.
    """
    path = model_dir / "README.md"
    try:
        card = ModelCard.load(path)
    except (OSError, ValueError) as error:
        raise U2UError(f"{path}: the scores cannot be put there: it is not the card of a model") from error
    if _BEGIN not in card.text or _END not in card.text:
        raise U2UError(f"{path}: the scores cannot be put there: put the lines {_BEGIN} and {_END} where they belong")
    _put_scores(card, dataset, split, scores)
    output_folder.amend(path, str(card))


def add_export(model_dir: Path, variants: str) -> None:
    """Put what is known of the exported model into the card that lies with it, if one does.

    Args:
        variants: Markdown.

    Raises:
        U2UError: it cannot be written.
    """
    path = model_dir / "README.md"
    if not path.exists():
        return
    card = ModelCard.load(path)
    section = f"{_ONNX_BEGIN}\n\n## On processors and in browsers\n\n{variants}\n\n{_ONNX_END}"
    before, _, rest = card.text.partition(_ONNX_BEGIN)
    after = rest.partition(_ONNX_END)[2]
    card.text = f"{before.rstrip()}\n\n{section}\n{after}" if rest else f"{card.text.rstrip()}\n\n{section}\n"
    output_folder.amend(path, str(card))


def _put_scores(card: ModelCard, dataset: str, split: str, scores: Mapping[str, Any]) -> None:
    name = _name(dataset)
    before, rest = card.text.split(_BEGIN, 1)
    there, after = rest.split(_END, 1)
    same = re.compile(rf"\| {re.escape(text(split))}(, ignoring .*)? \| {re.escape(text(name))} \| ")
    rows = [_row(split, name, scores)]
    if also := scores.get("ignoring"):
        rows.append(
            _row(f"{split}, ignoring {', '.join(also['what'])}", name, {"utterances": scores["utterances"], **also})
        )
    heads, rule, *new = table(_HEADS, rows).splitlines()
    others = [line for line in there.strip().splitlines()[2:] if not same.match(line)]
    card.text = "\n".join((f"{before}{_BEGIN}\n", heads, rule, *others, *new, f"\n{_END}{after}"))
    kept = [r for r in card.data.eval_results or () if (r.dataset_type, r.dataset_split) != (name, split)]
    card.data.eval_results = kept + [
        EvalResult(
            task_type=_TASK,
            dataset_type=name,
            dataset_name=name,
            dataset_split=split,
            metric_type=metric,
            metric_value=round(scores[metric], 4),
        )
        for metric in ("wer", "cer")
    ]


def _row(split: str, dataset: str, scores: Mapping[str, Any]) -> tuple[str | int, ...]:
    return split, dataset, scores["utterances"], _rate(scores, "wer"), _rate(scores, "cer")


def _rate(scores: Mapping[str, float], name: str) -> str:
    """``12.3% (11.0–13.7%)``."""
    interval = f" ({100 * scores[f'{name}_low']:.1f}–{scores[f'{name}_high']:.1%})" if f"{name}_low" in scores else ""
    return f"{scores[name]:.1%}{interval}"


def _data(splits: Mapping[str, Dataset]) -> str:
    """How much is in each split, and how many of its speakers and recordings are in training too."""
    columns = [column for column in ("speaker", "recording") if column in splits["train"].column_names]
    rows = []
    for name, split in splits.items():
        row: list[str | int] = [name, len(split), length(_hours(split))]
        for column in columns:
            here = set(split[column])
            row += [len(here), "–" if name == "train" else str(len(here & set(splits["train"][column])))]
        rows.append(row)
    heads = [head for column in columns for head in (f"{column}s", "of them in training")]
    return table(("split", "utterances", "length", *heads), rows)


def _hours(split: Dataset) -> float:
    return sum(split["duration"]) / 3600


def _front_matter(source: str, kind: type[RepoCard]) -> CardData:
    """What the card of a model or dataset says of it; nothing where there is none, or it is not to be had."""
    try:
        return kind.load(Path(source, "README.md") if Path(source).is_dir() else source).data
    except Exception:  # no network, no card, one that is not read: all the same here
        return kind.card_data_class()


def _hardware() -> str:
    state = processes()
    if state.device.type == "cuda":
        return f"{state.num_processes} × {torch.cuda.get_device_name(state.device)}"
    cores = f"{os.cpu_count()} processor cores"
    return f"{cores}, in {state.num_processes} processes" if state.num_processes > 1 else cores


def _settings(settings: Mapping[str, Any]) -> str:
    chosen = {name: value for name, value in settings.items() if name not in _SAID}
    return indented(
        yaml.safe_dump(chosen, allow_unicode=True, sort_keys=False) if chosen else "# all as they are by default"
    )


def _name(source: str) -> str:
    """Of a folder the last part: where it lies on whose computer is nobody's business."""
    return Path(source).resolve().name if Path(source).is_dir() else source


def _listed(value: str | list[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())
