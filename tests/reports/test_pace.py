from support.preparations import utterance

from u2u_hf.records import Dropped
from u2u_hf.reports.pace import characters_per_second, pace_outliers


def test_characters_a_second():
    assert characters_per_second(utterance("abcdef", seconds=0.5)) == 12
    assert characters_per_second(utterance("")) is None
    assert characters_per_second(utterance("abc", seconds=0)) is None


def test_the_fast_and_the_slow_are_outliers_and_the_farthest_comes_first():
    usual = [utterance("a" * n, 10_000 * n) for n in range(10, 31)]
    fast, slow = utterance("a" * 400, 1), utterance("a", 2, seconds=2)
    found = pace_outliers([*usual, fast], [Dropped(slow, "too long")])
    # Around the median of 20: |log(0.5/20)| = 3.7 is farther than |log(400/20)| = 3.0; log 2 is not far.
    assert [(o.utterance, o.characters_per_second, o.reason) for o in found] == [
        (slow, 0.5, "too long"),
        (fast, 400, ""),
    ]
    assert pace_outliers([*usual[:10], fast], []) == []  # too few to know what is usual
    assert pace_outliers([utterance("a" * 10, i) for i in range(30)], []) == []
