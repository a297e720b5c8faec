import pytest

from u2u_hf.recognition.tokenizer import build_tokenizer, fast_tokenizer, labels_of
from u2u_hf.records import U2UError


def test_the_vocabulary_is_the_characters_of_the_texts():
    tokenizer = build_tokenizer(["ba ñ¹", "a'ʼ", "e\u0301"])  # the last is e with a combining acute
    assert tokenizer.get_vocab() == {
        "[PAD]": 0, "[UNK]": 1, "|": 2, "'": 3, "a": 4, "b": 5, "e": 6, "¹": 7, "ñ": 8, "ʼ": 9, "\u0301": 10,
    }  # fmt: skip
    assert len(tokenizer) == 11
    assert tokenizer("ba ñx").input_ids == [5, 4, 2, 8, 1]
    labels = labels_of(tokenizer)
    assert labels.symbols == ("", "", "|", "'", "a", "b", "e", "¹", "ñ", "ʼ", "\u0301")
    assert labels.blank == 0


def test_texts_without_a_character_are_refused():
    with pytest.raises(U2UError, match="no character to learn"):
        build_tokenizer(["", " "])


def test_the_fast_tokenizer_writes_what_the_other_one_writes():
    tokenizer = build_tokenizer(["ab ña"])
    fast = fast_tokenizer(tokenizer)
    assert fast.encode("ab ñx").ids == tokenizer("ab ñx").input_ids
    path = tokenizer.convert_tokens_to_ids(["a", "a", "[PAD]", "a", "b", "|", "[PAD]", "ñ", "ñ"])
    assert fast.decode(path, skip_special_tokens=True) == tokenizer.decode(path) == "aab ñ"
