"""The recogniser that is trained: HuBERT with a CTC head, and the processor that goes with it."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch
from transformers import (
    AutoFeatureExtractor,
    HubertForCTC,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Processor,
)
from transformers.utils import logging

from u2u_hf.access import loading_problem
from u2u_hf.arguments import Regularisation
from u2u_hf.decode import DELIMITER, Labels
from u2u_hf.files import require_source
from u2u_hf.records import U2UError

BLANK, UNKNOWN = "[PAD]", "[UNK]"
DEFAULT_MODEL = "utter-project/mHuBERT-147"


def build_tokenizer(texts: Iterable[str]) -> Wav2Vec2CTCTokenizer:
    """One label for each character of the training texts; blank 0, unknown 1, the space between words 2.

    Raises:
        U2UError: the texts hold no character.
    """
    characters = sorted({c for text in texts for c in text} - {" ", DELIMITER})
    if not characters:
        raise U2UError("the training texts hold no character to learn: look at the dataset's text column")
    vocabulary = {symbol: index for index, symbol in enumerate((BLANK, UNKNOWN, DELIMITER, *characters))}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "vocab.json")
        path.write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
        return Wav2Vec2CTCTokenizer(
            str(path),
            pad_token=BLANK,
            unk_token=UNKNOWN,
            word_delimiter_token=DELIMITER,
            bos_token=None,  # else two labels that no text ever uses are added
            eos_token=None,
            do_lower_case=False,
        )


def labels_of(tokenizer: Wav2Vec2CTCTokenizer) -> Labels:
    """The recogniser's outputs as decoding needs them: what is not a character is silent."""
    silent = {tokenizer.pad_token, tokenizer.unk_token, tokenizer.bos_token, tokenizer.eos_token}
    symbols = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    return Labels(tuple("" if s in silent else s for s in symbols), tokenizer.pad_token_id)


def start_from(
    source: str, texts: Iterable[str], regularisation: Regularisation | None = None
) -> tuple[HubertForCTC, Wav2Vec2Processor]:
    """A pre-trained model with a fresh head for the characters of `texts`, in float32, its convolutions frozen.

    Args:
        source: folder or Hub name of a HuBERT model.
        regularisation: of its training; None for what the pre-trained model has.

    Raises:
        U2UError: there is none, or it is another kind of model.
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
        **(regularisation.config() if regularisation else {}),
    )
    # The head is new, and the vector that stands for masked frames may be.
    if missing := [
        key for key in loading["missing_keys"] if not key.startswith(("lm_head.", "hubert.masked_spec_embed"))
    ]:
        raise U2UError(f"{source}: is not a HuBERT model (it has no {missing[0]}, and {len(missing) - 1} more like it)")
    model.freeze_feature_encoder()
    return model, Wav2Vec2Processor(feature_extractor=extractor, tokenizer=tokenizer)


def load_trained(source: str) -> tuple[HubertForCTC, Wav2Vec2Processor]:
    """A fine-tuned model and its processor, in float32, ready to recognise.

    Raises:
        U2UError: there is none, or it has no vocabulary.
    """
    processor = _load(source, Wav2Vec2Processor)
    model = _load(source, HubertForCTC, dtype=torch.float32)
    if model.config.vocab_size != len(processor.tokenizer):
        raise U2UError(
            f"{source}: has {model.config.vocab_size} outputs but a vocabulary of {len(processor.tokenizer)}: "
            "take a model that was trained with recipes/train.py"
        )
    return model.eval(), processor


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' tables of weights that are missing: that the head is new is known."""
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
    try:
        with _quiet():
            return kind.from_pretrained(source, **settings)
    except (OSError, ValueError, TypeError, KeyError) as error:
        problem = loading_problem(source, "model", error)
        raise U2UError(f"{source}: cannot be loaded as {kind.__name__} ({problem})") from error


def save_processor(processor: Wav2Vec2Processor, folder: Path) -> None:
    """Write the processor beside its model."""
    processor.save_pretrained(folder)
