"""Loading and saving a recogniser: an encoder with a CTC head, and its processor."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModelForCTC,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizer,
    ProcessorMixin,
)
from transformers.utils import logging

from u2u_hf.data.inputs import inputs_of, is_of
from u2u_hf.files import write_text
from u2u_hf.frames import SAMPLING_RATE, delay_ms
from u2u_hf.hub.model_files import optional_file
from u2u_hf.hub.problems import loading_problem
from u2u_hf.hub.source import require_source
from u2u_hf.model_folder import CONFIG, PREPROCESSOR, TOKENIZER, TOKENIZER_FILE, VOCABULARY, checkpoints
from u2u_hf.recognition.decoding import DELIMITER
from u2u_hf.recognition.families.family import ModelFamily
from u2u_hf.recognition.families.registry import family_named
from u2u_hf.recognition.head import TrainedHead, brought_over, read_vocabulary, trained_head
from u2u_hf.recognition.plain_processor import PlainProcessor
from u2u_hf.recognition.tokenizer import build_tokenizer, fast_tokenizer, labels_of
from u2u_hf.records import U2UError

DEFAULT_MODEL = "utter-project/mHuBERT-147"
_WITHIN_LAYERS = re.compile(r"layers\.\d")


def start_from(
    source: str,
    texts: Iterable[str],
    config: Mapping[str, Any] | None = None,
    fresh_head: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> tuple[PreTrainedModel, ProcessorMixin]:
    """Return a pre-trained model with a head for the characters of `texts`, and its processor.

    The model is in float32; what its family does not fine-tune is frozen. If it is a recogniser already, the head keeps
    what it knows of these characters.

    Args:
        source: folder or Hub name of a model of one of the `FAMILIES`.
        config: regularisation, see `training.regularisation.Regularisation.config`.
        fresh_head: the head knows nothing.
        say: is told what the head keeps.

    Raises:
        U2UError: the model is missing or damaged, or it is of no family, or its files do not fit each other.
    """
    family = family_at(source)
    tokenizer = build_tokenizer(texts)
    extractor = _load(source, AutoFeatureExtractor)
    if not is_of(extractor, family.inputs):
        raise U2UError(f"{source}: is not a {family.name} model (its feature extractor is {type(extractor).__name__})")
    settings = _load(source, AutoConfig)
    if problem := family.problem(settings, extractor):
        raise U2UError(f"{source}: cannot be fine-tuned: {problem}")
    theirs = None if fresh_head else _trained_head(source, family, settings)
    labels, blank = len(tokenizer), tokenizer.pad_token_id
    family.configure(settings, theirs.size if theirs else labels, blank, config or {})
    model, loading = _load(
        source,
        AutoModelForCTC,
        config=settings,
        output_loading_info=True,
        dtype=torch.float32,
        ignore_mismatched_sizes=True,
    )
    _require_encoder(source, family, loading)
    _require_finite(source, model)
    own, std = getattr(model, family.head), model.config.initializer_range
    if theirs and _is_whole(family, loading):
        rows = theirs.rows_for(tokenizer)
        setattr(model, family.head, brought_over(own, rows, labels, std))
        model.config.vocab_size = labels
        say(_kept(source, rows, tokenizer))
    elif theirs or f"{family.head}.weight" not in loading["missing_keys"]:  # random, or of another alphabet
        setattr(model, family.head, brought_over(own, {}, labels, std))
        model.config.vocab_size = labels
    family.prepare(model, config or {})
    return model, family.processor(feature_extractor=family.extractor(extractor, settings), tokenizer=tokenizer)


def _trained_head(source: str, family: ModelFamily, config: PreTrainedConfig) -> TrainedHead | None:
    """Return the labels of a model that is a recogniser and has a vocabulary; None of another.

    Raises:
        U2UError: the vocabulary is damaged, or does not fit the model.
    """
    if family.architecture not in (config.architectures or ()):
        return None
    try:
        vocabulary = read_vocabulary(optional_file(source, VOCABULARY), optional_file(source, TOKENIZER_FILE))
        if vocabulary is None:
            return None
        path = optional_file(source, TOKENIZER)
        settings = json.loads(path.read_text(encoding="utf-8")) if path else {}
        return trained_head(config, family, vocabulary, settings)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        reason = str(error) if type(error) is ValueError else "its vocabulary is damaged"
        raise U2UError(f"{source}: {reason}: with --fresh_head the model is taken without its vocabulary") from error


def _is_whole(family: ModelFamily, loading: Mapping[str, Any]) -> bool:
    """Return whether the head was loaded."""
    changed = {*loading["missing_keys"], *(key for key, *_ in loading["mismatched_keys"])}
    return not any(key.startswith(f"{family.head}.") for key in changed)


def _kept(source: str, rows: Mapping[int, int], tokenizer: PreTrainedTokenizer) -> str:
    symbols = labels_of(tokenizer).symbols
    characters = {label for label, symbol in enumerate(symbols) if symbol and symbol != DELIMITER}
    new = " ".join(symbols[label] for label in sorted(characters - rows.keys()))
    known = f"the head keeps {len(characters & rows.keys())} of {len(characters)} characters, which {source} knows"
    return f"{known}{f'; new: {new}' if new else ''} (--fresh_head: none)"


def family_at(source: str) -> ModelFamily:
    """Return the family of a model that is not loaded yet.

    Raises:
        U2UError: the model is missing, or of no family.
    """
    path = optional_file(source, CONFIG)
    if path is None:
        return family_named(_load(source, AutoConfig).model_type)  # which says what is wrong
    try:
        return family_named(json.loads(path.read_text(encoding="utf-8")).get("model_type"))
    except U2UError as error:
        raise U2UError(f"{source}: {error}") from error
    except (OSError, ValueError, AttributeError) as error:
        raise U2UError(f"{source}: its {CONFIG} is damaged: copy or download the model again") from error


def _require_encoder(source: str, family: ModelFamily, loading: Mapping[str, Any]) -> None:
    """Raise U2UError unless the weights are those of the encoder that the config describes.

    transformers gives random values to weights that are missing or have another shape, and ignores the others.
    """

    def of_encoder(keys: Iterable[str]) -> list[str]:
        # The head is always missing from a pre-trained model, and the vector that masks frames often is.
        return sorted(k for k in keys if not k.startswith(f"{family.head}.") and not k.endswith("masked_spec_embed"))

    if missing := of_encoder(loading["missing_keys"]):
        found = f"it has no {missing[0]}, and {len(missing) - 1} more like it"
        raise U2UError(f"{source}: is not a {family.name} model ({found})")
    changed = {key: (key, *shapes) for key, *shapes in loading["mismatched_keys"]}
    _require_shapes(source, [changed[key] for key in of_encoder(changed)])
    # Models are published with what pre-training needed beside the layers; within them there is nothing to leave out.
    if unknown := sorted(key for key in loading["unexpected_keys"] if _WITHIN_LAYERS.search(key)):
        found = f"it has {unknown[0]}, and {len(unknown) - 1} more that such a model has not"
        raise U2UError(f"{source}: is not a {family.name} model ({found})")


def _require_shapes(source: str, mismatched: Iterable[tuple[str, Iterable[int], Iterable[int]]]) -> None:
    for key, *shapes in sorted(mismatched):
        theirs, ours = ("×".join(map(str, shape)) for shape in shapes)
        raise U2UError(f"{source}: its weights and its {CONFIG} do not fit: {key} is {theirs}, not {ours}")


def load_trained(source: str) -> tuple[PreTrainedModel, ProcessorMixin]:
    """Return a fine-tuned model in float32, in evaluation mode, and its processor.

    Raises:
        U2UError: the model or its vocabulary is missing or damaged, or the two do not fit.
    """
    processor = load_processor(source)
    settings = {"dtype": torch.float32, "output_loading_info": True, "ignore_mismatched_sizes": True}
    model, loading = _load(source, AutoModelForCTC, **settings)
    _require_shapes(source, loading["mismatched_keys"])
    # transformers gives weights that it does not find random values, and says so in a warning.
    if missing := sorted(key for key in loading["missing_keys"] if not key.endswith("masked_spec_embed")):
        raise U2UError(
            f"{source}: its weights lack {missing[0]}, and {len(missing) - 1} more: it is damaged, or no recogniser; "
            "take a model that was trained with recipes/train.py"
        )
    if model.config.vocab_size != len(processor.tokenizer):
        raise U2UError(
            f"{source}: has {model.config.vocab_size} outputs but a vocabulary of {len(processor.tokenizer)}: "
            "take a model that was trained with recipes/train.py"
        )
    _require_finite(source, model)
    return model.eval(), processor


def load_processor(source: str) -> ProcessorMixin:
    """Return the processor of a fine-tuned model: its feature extractor and its tokenizer.

    Raises:
        U2UError: the processor or its vocabulary is missing or damaged.
    """
    if optional_file(source, VOCABULARY) is None and optional_file(source, CONFIG) is not None:
        raise U2UError(f"{source}: has no vocabulary ({VOCABULARY}): take a model that recipes/train.py made")
    processor = _load(source, family_at(source).processor)
    try:
        labels = labels_of(processor.tokenizer)
        "".join(labels.symbols), labels.symbols[labels.blank]
    except Exception as error:  # of many classes, from a tokenizer that loaded from damaged files
        raise U2UError(f"{source}: its vocabulary is damaged: copy or download the model again") from error
    return processor


def load_plain_processor(source: str) -> PlainProcessor:
    """Return what recognition needs of a model's processor, whoever made it.

    Raises:
        U2UError: see `load_processor`; or its sound is not at 16 kHz.
    """
    processor = load_processor(source)
    extractor = processor.feature_extractor
    if extractor.sampling_rate != SAMPLING_RATE:
        raise U2UError(f"{source}: takes sound at {extractor.sampling_rate} Hz, not at 16 kHz: take another model")
    inputs = inputs_of(extractor)
    labels = replace(labels_of(processor.tokenizer), delay_ms=delay_ms(inputs.receptive_field))
    return PlainProcessor(inputs, inputs.normalised and bool(extractor.do_normalize), labels)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence transformers' tables of missing weights: the head is always one of them."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _load(source: str, kind: type, **settings):
    require_source(source, "model")
    _require_config(Path(source))
    try:
        with _quiet():
            return kind.from_pretrained(source, **settings)
    except Exception as error:  # damaged files end in any class, of several libraries
        problem = loading_problem(source, "model", error)
        raise U2UError(f"{source}: cannot be loaded: {problem}") from error


def _require_config(folder: Path) -> None:
    if not folder.is_dir() or (folder / CONFIG).is_file():
        return
    if found := [path for path in checkpoints(folder).values() if (path / CONFIG).is_file()]:
        raise U2UError(
            f"{folder}: its training has not ended: let it end, resume it with --resume, or take a checkpoint: "
            f"{found[-1]}"
        )
    raise U2UError(f"{folder}: holds no model ({CONFIG}): give a folder that train.py wrote, or a model's Hub name")


def _require_finite(source: str, model: PreTrainedModel) -> None:
    """Raise U2UError if a weight is NaN or infinite: the model would recognise nothing, and training would not help."""
    broken = [name for name, weight in model.named_parameters() if not weight.isfinite().all()]
    if broken:
        raise U2UError(
            f"{source}: its weights are damaged ({broken[0]} is not finite, and {len(broken) - 1} more): "
            "copy or download the model again, or take an earlier checkpoint"
        )


def save_processor(processor: ProcessorMixin, folder: Path) -> None:
    """Write the processor beside its model, with the ``tokenizer.json`` that transformers.js reads."""
    processor.save_pretrained(folder)
    write_text(folder / PREPROCESSOR, processor.feature_extractor.to_json_string())
    write_text(folder / TOKENIZER_FILE, fast_tokenizer(processor.tokenizer).to_str(pretty=True))
