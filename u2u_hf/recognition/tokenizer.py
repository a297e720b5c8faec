"""The vocabulary of a recogniser: one label for each character of the training texts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import Wav2Vec2CTCTokenizer

from u2u_hf.model_folder import VOCABULARY
from u2u_hf.recognition.decoding import DELIMITER, Labels
from u2u_hf.records import U2UError

BLANK, UNKNOWN = "[PAD]", "[UNK]"


def build_tokenizer(texts: Iterable[str]) -> Wav2Vec2CTCTokenizer:
    """Return a tokenizer for the characters of `texts`: blank 0, unknown 1, the space between words 2, characters.

    Raises:
        U2UError: the texts have no characters.
    """
    characters = sorted({c for text in texts for c in text} - {" ", DELIMITER})
    if not characters:
        raise U2UError("the training texts hold no character to learn: look at the dataset's text column")
    vocabulary = {symbol: index for index, symbol in enumerate((BLANK, UNKNOWN, DELIMITER, *characters))}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, VOCABULARY)
        path.write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
        return Wav2Vec2CTCTokenizer(
            str(path),
            pad_token=BLANK,
            unk_token=UNKNOWN,
            word_delimiter_token=DELIMITER,
            bos_token=None,  # otherwise transformers adds two labels that no text uses
            eos_token=None,
            do_lower_case=False,
        )


def labels_of(tokenizer: Wav2Vec2CTCTokenizer) -> Labels:
    """Return the recogniser's output labels for decoding; special tokens have the empty symbol.

    Raises:
        Exception: of any class, if the tokenizer comes from damaged files; see `model.load_processor`.
    """
    special = {tokenizer.pad_token, tokenizer.unk_token, tokenizer.bos_token, tokenizer.eos_token}
    symbols = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    return Labels(tuple("" if symbol in special else symbol for symbol in symbols), tokenizer.pad_token_id)


def fast_tokenizer(tokenizer: Wav2Vec2CTCTokenizer) -> Tokenizer:
    """Return the same tokenizer as one of the tokenizers library, the form that transformers.js reads."""
    fast = Tokenizer(models.WordLevel(tokenizer.get_vocab(), unk_token=tokenizer.unk_token))
    fast.normalizer = normalizers.Replace(" ", DELIMITER)
    fast.pre_tokenizer = pre_tokenizers.Split(Regex(""), "isolated")
    fast.decoder = decoders.Sequence(
        [decoders.CTC(tokenizer.pad_token, DELIMITER, cleanup=False), decoders.Replace(DELIMITER, " ")]
    )
    # The blank is not a special token here: special tokens are removed before repeats are merged, which would lose
    # double letters.
    fast.add_special_tokens([AddedToken(tokenizer.unk_token, special=True, normalized=False)])
    fast.add_tokens([AddedToken(tokenizer.pad_token, special=False, normalized=False)])
    return fast
