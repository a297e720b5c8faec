"""Loading and saving a recogniser: HuBERT with a CTC head, and its processor."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import AutoFeatureExtractor, HubertForCTC, Wav2Vec2FeatureExtractor, Wav2Vec2Processor
from transformers.utils import cached_file, logging

from u2u_hf.files import write_text
from u2u_hf.hub.problems import loading_problem
from u2u_hf.hub.source import require_source
from u2u_hf.model_folder import CONFIG, PREPROCESSOR, VOCABULARY
from u2u_hf.recognition.tokenizer import build_tokenizer, fast_tokenizer, labels_of
from u2u_hf.records import U2UError

DEFAULT_MODEL = "utter-project/mHuBERT-147"


def start_from(
    source: str, texts: Iterable[str], config: Mapping[str, Any] | None = None
) -> tuple[HubertForCTC, Wav2Vec2Processor]:
    """Return a pre-trained model with a new head for the characters of `texts`, and its processor.

    The model is in float32; its conv feature encoder is frozen.

    Args:
        source: folder or Hub name of a HuBERT model.
        config: values of its HubertConfig that differ from the pre-trained model's.

    Raises:
        U2UError: the model is missing or damaged, or it is not a HuBERT.
    """
    tokenizer = build_tokenizer(texts)
    extractor = _load(source, AutoFeatureExtractor)
    if not isinstance(extractor, Wav2Vec2FeatureExtractor):
        raise U2UError(f"{source}: is not a HuBERT model (its feature extractor is {type(extractor).__name__})")
    model, loading = _load(
        source,
        HubertForCTC,
        output_loading_info=True,
        dtype=torch.float32,
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=None,
        ctc_loss_reduction="mean",
        ctc_zero_infinity=True,
        ignore_mismatched_sizes=True,
        **(config or {}),
    )
    # The head is always missing from a pre-trained model, and the vector that masks frames often is.
    if missing := [
        key for key in loading["missing_keys"] if not key.startswith(("lm_head.", "hubert.masked_spec_embed"))
    ]:
        raise U2UError(f"{source}: is not a HuBERT model (it has no {missing[0]}, and {len(missing) - 1} more like it)")
    _require_finite(source, model)
    model.freeze_feature_encoder()
    return model, Wav2Vec2Processor(feature_extractor=extractor, tokenizer=tokenizer)


def load_trained(source: str) -> tuple[HubertForCTC, Wav2Vec2Processor]:
    """Return a fine-tuned model in float32, in evaluation mode, and its processor.

    Raises:
        U2UError: the model or its vocabulary is missing or damaged, or the two do not fit.
    """
    processor = load_processor(source)
    model, loading = _load(source, HubertForCTC, dtype=torch.float32, output_loading_info=True)
    # transformers gives weights that it does not find random values, and says so in a warning.
    if missing := [key for key in loading["missing_keys"] if key != "hubert.masked_spec_embed"]:
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


def load_processor(source: str) -> Wav2Vec2Processor:
    """Return the processor of a fine-tuned model: its feature extractor and its tokenizer.

    Raises:
        U2UError: the processor or its vocabulary is missing or damaged.
    """
    if optional_file(source, VOCABULARY) is None and optional_file(source, CONFIG) is not None:
        raise U2UError(f"{source}: has no vocabulary ({VOCABULARY}): take a model that recipes/train.py made")
    processor = _load(source, Wav2Vec2Processor)
    try:
        labels = labels_of(processor.tokenizer)
        "".join(labels.symbols), labels.symbols[labels.blank]
    except Exception as error:  # of many classes, from a tokenizer that loaded from damaged files
        raise U2UError(f"{source}: its vocabulary is damaged: copy or download the model again") from error
    return processor


def optional_file(source: str, name: str) -> Path | None:
    """Return the path of a model's file, downloaded if the model is on the Hub; None if the model lacks it.

    Raises:
        U2UError: `source` is neither a folder nor a model on the Hub, or may not be read.
    """
    require_source(source, "model")
    try:
        found = cached_file(
            source,
            name,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_gated_repo=False,
            _raise_exceptions_for_connection_errors=False,
        )
    except Exception as error:  # of several libraries
        raise U2UError(f"{source}: cannot be loaded: {loading_problem(source, 'model', error)}") from error
    return None if found is None else Path(found)


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
        raise U2UError(f"{source}: cannot be loaded as {kind.__name__}: {problem}") from error


def _require_config(folder: Path) -> None:
    if not folder.is_dir() or (folder / CONFIG).is_file():
        return
    if checkpoints := sorted(folder.glob(f"checkpoint-*/{CONFIG}")):
        raise U2UError(
            f"{folder}: its training has not ended: let it end, resume it with --resume, or take a checkpoint: "
            f"{checkpoints[-1].parent}"
        )
    raise U2UError(f"{folder}: holds no model ({CONFIG}): give a folder that train.py wrote, or a model's Hub name")


def _require_finite(source: str, model: HubertForCTC) -> None:
    """Raise U2UError if a weight is NaN or infinite: the model would recognise nothing, and training would not help."""
    broken = [name for name, weight in model.named_parameters() if not weight.isfinite().all()]
    if broken:
        raise U2UError(
            f"{source}: its weights are damaged ({broken[0]} is not finite, and {len(broken) - 1} more): "
            "copy or download the model again, or take an earlier checkpoint"
        )


def save_processor(processor: Wav2Vec2Processor, folder: Path) -> None:
    """Write the processor beside its model, with the ``tokenizer.json`` that transformers.js reads."""
    processor.save_pretrained(folder)
    write_text(folder / PREPROCESSOR, processor.feature_extractor.to_json_string())
    write_text(folder / "tokenizer.json", fast_tokenizer(processor.tokenizer).to_str(pretty=True))
