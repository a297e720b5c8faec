import pytest

from u2u_hf.metrics import error_rates


@pytest.mark.parametrize(
    ("said", "heard", "wer", "cer"),
    [
        (["a b c d"], ["a b c d"], 0, 0),
        (["a b c d"], ["a x c d"], 1 / 4, 1 / 7),
        (["a b c d"], ["a c d"], 1 / 4, 2 / 7),
        (["tata"], ["tatata"], 1, 2 / 4),
        (["kitten"], ["sitting"], 1, 3 / 6),
        (["one two", "three"], ["one", "three four"], 2 / 3, (4 + 5) / 12),
        (["a b"], [""], 1, 1),
        ([""], [""], 0, 0),
        ([""], ["oh"], 1, 1),  # nothing was said: all that is heard is wrong
        (["abcd", ""], ["abcd", "xy"], 1, 2 / 4),
    ],
)
def test_error_rates(said, heard, wer, cer):
    assert error_rates(heard, said) == pytest.approx({"wer": wer, "cer": cer})
