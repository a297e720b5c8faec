"""The recogniser that is trained: HuBERT with a CTC head, and the processor that goes with it."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import (
    AutoFeatureExtractor,
    HubertForCTC,
    Wav2Vec2CTCTokenizer,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Processor,
)
from transformers.utils import cached_file, logging

from u2u_hf.files import require_source, write_text
from u2u_hf.hub.problems import loading_problem
from u2u_hf.recognition.decoding import DELIMITER, Labels
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
    source: str, texts: Iterable[str], config: Mapping[str, Any] | None = None
) -> tuple[HubertForCTC, Wav2Vec2Processor]:
    """A pre-trained model with a fresh head for the characters of `texts`, in float32, its convolutions frozen.

    Args:
        source: folder or Hub name of a HuBERT model.
        config: settings of its HuBERT config that differ from the pre-trained model's.

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
        **(config or {}),
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
    processor = load_processor(source)
    model = _load(source, HubertForCTC, dtype=torch.float32)
    if model.config.vocab_size != len(processor.tokenizer):
        raise U2UError(
            f"{source}: has {model.config.vocab_size} outputs but a vocabulary of {len(processor.tokenizer)}: "
            "take a model that was trained with recipes/train.py"
        )
    return model.eval(), processor


def load_processor(source: str) -> Wav2Vec2Processor:
    """What goes with a fine-tuned model: how its audio is scaled, and its vocabulary.

    Raises:
        U2UError: there is none.
    """
    return _load(source, Wav2Vec2Processor)


def optional_file(source: str, name: str) -> Path | None:
    """A file of a model's folder, or of its Hub repo, which is then downloaded; None if it is not there.

    Raises:
        U2UError: neither a folder nor a Hub name.
    """
    require_source(source, "model")
    found = cached_file(
        source,
        name,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_gated_repo=False,
        _raise_exceptions_for_connection_errors=False,
    )
    return None if found is None else Path(found)


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
        if kind is Wav2Vec2Processor and isinstance(error, TypeError):  # the tokenizer's, without a file to read
            raise U2UError(
                f"{source}: has no vocabulary: take a model that was trained with recipes/train.py"
            ) from error
        problem = loading_problem(source, "model", error)
        raise U2UError(f"{source}: cannot be loaded as {kind.__name__} ({problem})") from error


def save_processor(processor: Wav2Vec2Processor, folder: Path) -> None:
    """Write the processor beside its model; in ``tokenizer.json``, too, which transformers.js reads."""
    processor.save_pretrained(folder)
    write_text(folder / "preprocessor_config.json", processor.feature_extractor.to_json_string())
    write_text(folder / "tokenizer.json", _fast(processor.tokenizer).to_str(pretty=True))


def _fast(tokenizer: Wav2Vec2CTCTokenizer) -> Tokenizer:
    """The same in the form of the tokenizers library: each character one label, CTC when decoding."""
    fast = Tokenizer(models.WordLevel(tokenizer.get_vocab(), unk_token=tokenizer.unk_token))
    fast.normalizer = normalizers.Replace(" ", DELIMITER)
    fast.pre_tokenizer = pre_tokenizers.Split(Regex(""), "isolated")
    fast.decoder = decoders.Sequence(
        [decoders.CTC(tokenizer.pad_token, DELIMITER, cleanup=False), decoders.Replace(DELIMITER, " ")]
    )
    # The blank is no special token here: those are taken out before repeats are merged, and double letters are lost.
    fast.add_special_tokens([AddedToken(tokenizer.unk_token, special=True, normalized=False)])
    fast.add_tokens([AddedToken(tokenizer.pad_token, special=False, normalized=False)])
    return fast
