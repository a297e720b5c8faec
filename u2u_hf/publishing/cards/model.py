"""The card of a trained model."""

from __future__ import annotations

import json
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
from u2u_hf.data.processes import accelerator
from u2u_hf.evaluation.card_score import chosen_score
from u2u_hf.evaluation.metrics import METRICS
from u2u_hf.evaluation.verdict import warning
from u2u_hf.memory import memory_problem
from u2u_hf.model_folder import CARD, CONFIG, CURVES
from u2u_hf.publishing.cards.front_matter import listed
from u2u_hf.publishing.cards.markdown import indented, table, text
from u2u_hf.recognition.model import DEFAULT_MODEL
from u2u_hf.records import U2UError
from u2u_hf.reports.characters import shown
from u2u_hf.reports.quantities import length

_TASK = "automatic-speech-recognition"
# Licences of the base models in README.md, for when their cards cannot be fetched: else their terms would be lost.
_LICENCES = {
    DEFAULT_MODEL: "cc-by-nc-sa-4.0",
    **dict.fromkeys(("facebook/mms-300m", "facebook/mms-1b", "facebook/mms-1b-all"), "cc-by-nc-4.0"),
    **dict.fromkeys(("facebook/wav2vec2-xls-r-300m", "hf-audio/omniasr-ctc-300m-v2"), "apache-2.0"),
    "facebook/w2v-bert-2.0": "mit",
}
_SAID = ("dataset", "model", "output_dir")  # settings that the card shows elsewhere
_BEGIN, _END = "<!-- scores -->", "<!-- end of scores -->"
_ONNX_BEGIN, _ONNX_END = "<!-- onnx -->", "<!-- end of onnx -->"


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
    memory: str = "",
    numbers: str = "",
    repo_id: str = "",
) -> None:
    """Write the card of a trained model, ``README.md``, into its folder.

    It shows ``training_curves.png`` if that is in the folder. It names no speaker, quotes no utterance and holds no
    absolute path. What is unknown is omitted.

    Args:
        base_model: folder or Hub name of the model that was fine-tuned; the licence is taken from its card.
        dataset: folder or Hub name of the prepared dataset; the language is taken from its card.
        splits: the dataset itself.
        scores: of the validation split, ``wer`` and ``cer`` (0…1 and above); `add_scores` says what else.
        settings: those that differ from the defaults, from `settings.changed`.
        steps: optimizer steps. seconds: duration of the whole training.
        memory: the most that it took, such as ``5.3 GB of GPU memory``; empty if unknown.
        numbers: a sentence on the numbers it was trained in, if they changed on the way.
        repo_id: OWNER/NAME on the Hub if the model is pushed.

    Raises:
        U2UError: it cannot be written.
    """
    base, theirs = _front_matter(base_model, ModelCard), _front_matter(dataset, DatasetCard)
    licences = listed(base.get("license")) or listed(_LICENCES.get(base_model))
    licence = ", ".join(licences)
    title = repo_id.split("/")[-1] or output_dir.resolve().name
    data = ModelCardData(
        language=listed(theirs.get("language")) or None,
        license=_one_or_all(licences),
        license_name=_one_or_all(listed(base.get("license_name"))),
        license_link=_one_or_all(listed(base.get("license_link"))),
        base_model=_one_or_all(listed(base.get("base_model"))) if Path(base_model).is_dir() else base_model,
        datasets=None if Path(dataset).is_dir() else [dataset],
        library_name="transformers",
        pipeline_tag=_TASK,
        tags=[*_model_type(output_dir, base_model), "ctc", "u2u-hf"],
        metrics=list(METRICS),
        model_name=title,
    )
    alphabet = sorted(set().union(*splits["train"]["text"]))
    limit = f", with at most {memory}" if memory else ""
    card = ModelCard.from_template(
        data,
        template_path=str(Path(__file__).with_name("model.md")),
        title=text(title),
        languages=text(", ".join(listed(theirs.get("language_bcp47")) or listed(theirs.get("language")))),
        base=text(_name(base_model)),
        length=length(_hours(splits["train"])),
        data=_data(splits),
        dataset=text(" ".join(listed(theirs.get("pretty_name"))) or _name(dataset)),
        dataset_licence=text(", ".join(listed(theirs.get("license")))),
        character_count=len(alphabet),
        alphabet=text(" ".join(map(shown, alphabet))),
        licence=text(licence),
        source=repo_id or "OWNER/NAME",
        made=f"Training took {length(seconds / 3600)} ({steps:,} steps) on {_hardware()}{limit}. {numbers}".rstrip(),
        curves=(output_dir / CURVES).is_file(),
        version=__version__,
        libraries=f"transformers {transformers.__version__}, torch {torch.__version__}",
        settings=_settings(settings),
    )
    _put_scores(card, dataset, "validation", {"utterances": len(splits["validation"]), **scores})
    output_folder.write(output_dir / CARD, str(card))


def add_scores(model_dir: Path, dataset: str, split: str, scores: Mapping[str, Any]) -> None:
    """Write a split's scores into the card of a model; older scores of the same split are replaced.

    Args:
        dataset: folder or Hub name.
        scores: ``utterances``, ``wer`` and ``cer`` (0…1 and above), their 95% confidence intervals ``wer_low``,
            ``wer_high``, ``cer_low``, ``cer_high`` if known, and the same under ``ignoring`` with ``what`` was ignored.

    Raises:
        U2UError: the folder has no card by `write_model_card`, or it cannot be written.
    """
    path = model_dir / CARD
    card = _load_card(path, "the scores cannot be added")
    if _END not in card.text.partition(_BEGIN)[2]:
        raise U2UError(f"{path}: the scores cannot be added: add the lines {_BEGIN} and {_END} where they belong")
    card.data.model_name = card.data.model_name or model_dir.resolve().name  # without it, no card could be read again
    _put_scores(card, dataset, split, scores)
    output_folder.amend(path, str(card))


def add_export(model_dir: Path, variants: str) -> None:
    """Write the scores of an export into the card in the model's folder, if there is one.

    Args:
        variants: Markdown, from `export.report_table`.

    Raises:
        U2UError: it cannot be written.
    """
    path = model_dir / CARD
    if not path.exists():
        return
    problem = "the scores of the export cannot be added"
    card = _load_card(path, problem)
    section = f"{_ONNX_BEGIN}\n\n## On processors and in browsers\n\n{variants}\n\n{_ONNX_END}"
    before, begin, rest = card.text.partition(_ONNX_BEGIN)
    _, end, after = rest.partition(_ONNX_END)
    if begin and not end:  # what somebody wrote below would go
        raise U2UError(f"{path}: {problem}: add the line {_ONNX_END} where it belongs, or remove {_ONNX_BEGIN}")
    card.text = f"{before.rstrip()}\n\n{section}\n{after}" if begin else f"{card.text.rstrip()}\n\n{section}\n"
    output_folder.amend(path, str(card))


def _model_type(folder: Path, base_model: str) -> list[str]:
    """Return what the model's config.json calls its kind, such as ``hubert``; nothing if that is unknown."""
    try:
        found = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, LookupError, TypeError):
        found = "hubert" if base_model == DEFAULT_MODEL else None
    return [found] if isinstance(found, str) else []


def _load_card(path: Path, problem: str) -> ModelCard:
    try:
        card = ModelCard.load(path)
    except Exception as error:  # of several libraries
        why = memory_problem(error) or "it is not the card of a model: move it away, or train again to write a new one"
        raise U2UError(f"{path}: {problem}: {why}") from error
    results = card.data.eval_results
    if results and not (isinstance(results, list) and all(isinstance(result, EvalResult) for result in results)):
        raise U2UError(f"{path}: {problem}: its model-index or eval_results is damaged: remove it from the first lines")
    return card


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
    heads = ("split", "dataset", "utterances", *(metric.label for metric in METRICS.values()))
    head, rule, *new = table(heads, rows).splitlines()
    older = [line for line in there.splitlines() if line.startswith("|")][2:]
    others = [line for line in older if not same.match(line)]
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
        for metric in METRICS
        if metric in scores
    ]
    score = chosen_score(card.data.eval_results)
    doubt = warning(*score) if score else ""
    told = [f"\n**{text(doubt)}**"] if doubt else []
    card.text = "\n".join((f"{before}{_BEGIN}\n", head, rule, *others, *new, *told, f"\n{_END}{after}"))


def _row(split: str, dataset: str, scores: Mapping[str, Any]) -> tuple[str | int, ...]:
    return split, dataset, scores["utterances"], *(_rate(scores, name) for name in METRICS)


def _rate(scores: Mapping[str, float], name: str) -> str:
    """Return ``12.3% (11.0–13.7%)``, or a dash if the metric was not measured."""
    if name not in scores:
        return "–"
    interval = f" ({100 * scores[f'{name}_low']:.1f}–{scores[f'{name}_high']:.1%})" if f"{name}_low" in scores else ""
    return f"{scores[name]:.1%}{interval}"


def _data(splits: Mapping[str, Dataset]) -> str:
    """Return a table of the splits: their size, and how many of their speakers and recordings are in training too."""
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
    """Return the front matter of a card; it is empty if the card is missing or cannot be fetched."""
    try:
        return kind.load(Path(source, CARD) if Path(source).is_dir() else source).data
    except Exception:  # no network, no card, invalid YAML: each has a class of its own
        return kind.card_data_class()


def _hardware() -> str:
    state = accelerator()
    if state.device.type == "cuda":
        return f"{state.num_processes} × {torch.cuda.get_device_name(state.device)}"
    cores = f"{os.cpu_count()} processor cores"
    return f"{cores}, in {state.num_processes} processes" if state.num_processes > 1 else cores


def _settings(settings: Mapping[str, Any]) -> str:
    chosen = {name: value for name, value in settings.items() if name not in _SAID}
    return indented(yaml.safe_dump(chosen, allow_unicode=True, sort_keys=False) if chosen else "# the defaults")


def _name(source: str) -> str:
    """Return a Hub name as it is, and of a folder only the last part: absolute paths are not published."""
    return Path(source).resolve().name if Path(source).is_dir() else source


def _one_or_all(values: list[str]) -> str | list[str] | None:
    """Return values as front matter has them: one alone, several as a list, none as None."""
    return values if len(values) > 1 else next(iter(values), None)
