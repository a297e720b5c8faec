"""The numbers of the rounds, and their page."""

import json

import pytest
from support.html_pages import ATTACKS, harmless

from u2u_hf.evaluation.scoring import Pair, as_tsv
from u2u_hf.growth.growth import Row, as_values, rows
from u2u_hf.growth.growth_page import growth_page
from u2u_hf.growth.rounds import Round, rounds_of
from u2u_hf.project.folder import Project
from u2u_hf.records import U2UError


def scored(folder, number, hypotheses, changed=0, characters=0, recording="elan/a"):
    """A finished round that scored utterances: start in seconds → hypothesis of 'kana'."""
    one = Round(folder / f"{number:02d}", number)
    pairs = [Pair(recording, "t", "ANA", 1000 * at, 1000 * at + 900, "kana", text) for at, text in hypotheses.items()]
    one.scores("test").mkdir(parents=True)
    (one.scores("test") / "pairs.tsv").write_text(as_tsv(pairs), encoding="utf-8")
    changes = {"hours": 0.5 * number, "changed": changed, "characters": characters, "speakers": {"ANA": 0.5}}
    one.facts = {"changes": changes, "compare": {"is_better": True}, "test": 0.5}
    return one


def test_rates_are_of_the_utterances_that_every_round_held_out(tmp_path):
    """Of 4 + 4 + 4 characters, 1 is wrong; then of 4 + 4, 2. The third one's sentence has come into training."""
    first = scored(tmp_path, 1, {0: "kana", 1: "kano", 2: "xxxx"})
    second = scored(tmp_path, 2, {0: "kanooo"[:5], 1: "kana"}, changed=3, characters=24, recording="2025/a")
    one, two = rows([first, second])
    assert (one.cer, two.cer) == (1 / 8, 2 / 8)
    assert (one.utterances, two.utterances) == (2, 2)
    assert one.is_comparable
    assert one.cer_interval[0] <= one.cer <= one.cer_interval[1]
    assert (one.edited_share, two.edited_share) == (None, 3 / 24)
    values = as_values([one, two])
    assert [{"round", "cer", "cer_interval", "hours", "edited_share"} <= value.keys() for value in values] == [True] * 2
    assert json.loads(json.dumps(values))[1]["hours"] == 1.0


def test_rounds_of_other_recordings_are_not_compared(tmp_path):
    one, two = rows([scored(tmp_path, 1, {0: "kana"}), scored(tmp_path, 2, {5: "xana", 6: "kana"})])
    assert (one.is_comparable, two.is_comparable) == (False, False)
    assert (one.cer, two.cer) == (0, 1 / 8)


def test_a_round_without_a_score_has_no_row(tmp_path):
    assert rows([Round(tmp_path, 1, {"changes": {}})]) == []


def told(rate=None, interval=None, why=""):
    return {"more_hours": 0.5, "rate": rate, "interval": interval, "why_not": why}


def row(number, **more):
    given = {"cer": 0.3, "cer_interval": (0.2, 0.4), "hours": 0.5 * number, "edited_share": None} | more
    rest = {"edited_characters": 0, "is_better": True, "is_comparable": True, "utterances": 9} | given
    return Row(number, **{name: rest[name] for name in rest})


def test_the_page_says_what_is_known_and_what_is_not():
    page = growth_page([row(1)], [], [])
    assert "After the first round 30.0% of the characters are wrong." in page
    assert "Nobody has corrected a draft yet." in page
    assert "Not measured in this round" in page
    last = row(2, cer=0.2, edited_share=0.15, forecast=[told(0.18, (0.16, 0.2)), told(why="it may be anything")])
    page = growth_page([row(1), last], ["one.eaf: 1 text corrected"], ["two.eaf: is damaged"])
    assert "Round 2 brought the share of wrong characters from 30.0% to 20.0%." in page
    assert "16.0%–20.0%" in page
    assert "cannot be told yet" in page
    assert "15.0%" in page
    page = growth_page([row(1), row(2, is_better=False)], [], [])
    assert "Round 2 gave no better recogniser" in page


@pytest.mark.parametrize("attack", ATTACKS)
def test_names_cannot_command_the_page(attack):
    harmless(growth_page([row(1, speakers={attack: 1.0})], [attack], [attack]))


def test_a_damaged_state_is_told(tmp_path):
    folder = tmp_path / "rounds" / "01"
    folder.mkdir(parents=True)
    (folder / "state.json").write_text("[", encoding="utf-8")
    with pytest.raises(U2UError, match=r"state\.json: is damaged: remove its folder, and the round is done again"):
        rounds_of(Project(tmp_path))
