"""Each kind of fault, in measures that are set by hand: 40 annotations in which nothing is wrong, and a few others."""

import itertools

import pytest
from support.examined import examined, measured, neighbours, usual_ones, utterance

from u2u_hf.doctor.boundaries import shifted_boundaries
from u2u_hf.doctor.conventions import other_conventions
from u2u_hf.doctor.copies import copies
from u2u_hf.doctor.examination import SEARCHES
from u2u_hf.doctor.measures import SwapCost
from u2u_hf.doctor.places import Place
from u2u_hf.doctor.speakers import wrong_channels
from u2u_hf.doctor.spelling_pairs import Swap
from u2u_hf.doctor.spellings import second_spellings
from u2u_hf.doctor.texts import wrong_texts


@pytest.mark.parametrize("search", SEARCHES)
def test_where_nothing_is_wrong_nothing_is_found(search):
    assert search(examined(*usual_ones())) == []
    assert search(examined(*usual_ones(1))) == []


def test_limits_are_those_of_the_corpus():
    usual = examined(*usual_ones()).usual
    # Misfits are costs / 50: 0.08 to 0.119 in steps of 0.001, the middle 0.0995, half of them within 0.01 of it.
    assert usual.right == pytest.approx(0.0995 + 3.5 * 1.4826 * 0.01)
    assert usual.middle == pytest.approx((1 + 0.0995) / 2)
    assert usual.wrong == pytest.approx(0.8)  # a twentieth of 40, 48, 50… over 50
    assert (usual.lead_ms, usual.lag_ms) == (60, 100)


def test_the_texts_of_two_neighbours_are_swapped():
    one, other = utterance(1, "quitta in oquichtli"), utterance(2, "axcan quicua")
    pairs = [
        (one, measured(one, 45, neighbours=neighbours((other, 4)))),
        (other, measured(other, 30, neighbours=neighbours((one, 4)))),
    ]
    found = wrong_texts(examined(*usual_ones(), *pairs))
    assert [(f.start_ms, f.suggestion, f.edit) for f in found] == [
        (one.start_ms, "text of the next annotation: axcan quicua", {"text": "axcan quicua"}),
        (other.start_ms, "text of the annotation before: quitta in oquichtli", {"text": "quitta in oquichtli"}),
    ]


def test_a_swap_is_found_though_each_text_alone_tells_little():
    weak = [(u, measured(u, 30 + n / 4)) for n, (u, _) in enumerate(usual_ones())]
    for (one, a), (other, b) in itertools.pairwise(weak):
        object.__setattr__(a, "neighbours", (*a.neighbours, *neighbours((other, 50))))
        object.__setattr__(b, "neighbours", (*b.neighbours, *neighbours((one, 50))))
    one, other = utterance(1, "quitta in oquichtli"), utterance(2, "axcan quicua")
    pairs = [
        (one, measured(one, 47, neighbours=neighbours((other, 33)))),
        (other, measured(other, 44, neighbours=neighbours((one, 31)))),
    ]
    assert {f.start_ms for f in wrong_texts(examined(*weak, *pairs))} == {one.start_ms, other.start_ms}
    assert wrong_texts(examined(*weak)) == []


def test_a_text_fits_no_better_than_any_other():
    one, fine = utterance(1, "quitta in oquichtli"), utterance(2, "axcan quicua")
    pairs = [(one, measured(one, 49, heard="nehuatl")), (fine, measured(fine, 39))]
    (found,) = wrong_texts(examined(*usual_ones(), *pairs))
    assert (found.start_ms, found.suggestion, found.edit) == (one.start_ms, "heard: nehuatl", {"text": "nehuatl"})
    silent = utterance(3, "quitta in oquichtli")
    (found,) = wrong_texts(examined(*usual_ones(), (silent, measured(silent, None, heard=""))))
    assert (found.suggestion, found.edit) == ("no speech is heard here", None)


def test_boundaries_follow_the_text():
    one = utterance(1, "quitta in oquichtli")  # from 5 s to 7 s
    heard = measured(one, 40, spot_cost=5, spot_ms=(6560, 8400), heard="quitta")
    (found,) = shifted_boundaries(examined(*usual_ones(), (one, heard)))
    # As far from the text as is usual here: 60 ms before it, and 100 ms after.
    assert found.edit == {"start_ms": 6500, "end_ms": 8500}
    assert found.suggestion == "start +1.50 s, end +1.50 s"
    # Where the next annotation is, the text is not this one's; up to that, the end is cut there.
    taken, near = utterance(2, seconds=2), utterance(2, seconds=2)
    object.__setattr__(taken, "start_ms", 7200)
    assert shifted_boundaries(examined(*usual_ones(), (one, heard), (taken, measured(taken)))) == []
    object.__setattr__(near, "start_ms", 8450)
    (found,) = shifted_boundaries(examined(*usual_ones(), (one, heard), (near, measured(near))))
    assert found.edit == {"start_ms": 6500, "end_ms": 8450}


def test_boundaries_follow_the_speech_where_the_text_fits_better_there():
    one = utterance(1, "quitta in oquichtli")
    place = Place(by_ms=-800, gain_ms=1500)
    better = measured(one, 40, place=place, place_cost=20)
    (found,) = shifted_boundaries(examined(*usual_ones(), (one, better)))
    assert found.edit == {"start_ms": 4200, "end_ms": 6200}
    worse = measured(one, 40, place=place, place_cost=41)
    assert shifted_boundaries(examined(*usual_ones(), (one, worse))) == []


def test_a_rare_word_is_heard_as_a_frequent_one():
    one, other = utterance(1, "Ca quita."), utterance(2, "ca quita")
    object.__setattr__(one, "text", "ca quita")
    swap = Swap(1, "quita", "quitta", True)
    rows = usual_ones(swaps=(SwapCost(Swap(0, "ta01", "ta02", False), 9.0),))
    pairs = [(u, measured(u, swaps=(SwapCost(swap, -3.0),))) for u in (one, other)]
    found = second_spellings(examined(*rows, *pairs))
    assert [(f.suggestion, f.edit) for f in found] == [
        ("quita (2 ×) → quitta (0 ×)", {"text": "Ca quitta."}),
        ("quita (2 ×) → quitta (0 ×)", {"text": "ca quitta"}),
    ]
    # A recogniser that hears right words otherwise, too, tells nothing.
    rows = usual_ones(swaps=(SwapCost(Swap(0, "ta01", "ta02", False), -3.0),))
    assert second_spellings(examined(*rows, *pairs)) == []
    # Two words of the language: at one place of two the other fits better, at the other it does not.
    pairs = [(u, measured(u, swaps=(SwapCost(swap, added),))) for u, added in ((one, -3.0), (other, 4.0))]
    assert second_spellings(examined(*usual_ones(), *pairs)) == []


def test_one_file_drops_a_letter():
    rows = [pair for name in "abcde" for pair in usual_ones(8, recording=name)]
    heard = [utterance(n, "ciua oquictli", recording="f") for n in range(6)]
    pairs = [(u, measured(u, heard="cihua oquichtli")) for u in heard]
    whole = [utterance(n, "chan hueli", recording=name) for name in "abcde" for n in range(6)]
    found = other_conventions(examined(*rows, *pairs, *((u, measured(u)) for u in whole)))
    assert [f.suggestion.partition(", unlike")[0] for f in found] == ["file f: h is heard 12 × and written 0 ×"]
    assert (found[0].places, found[0].edit, found[0].tiers) == (6, None, (("f", "A"),))
    # A voice of which the recogniser loses one h in two has no convention.
    pairs = [(u, measured(u, heard="cihua oquictli")) for u in heard]
    pairs += [(u, measured(u, heard="ciua")) for u in (utterance(n, "cihua", recording="f") for n in range(10, 16))]
    assert other_conventions(examined(*rows, *pairs, *((u, measured(u)) for u in whole))) == []


def test_an_annotator_writes_k_for_c():
    rows = [(u, measured(u)) for name in "abcd" for u in (utterance(n, "ca oc", "A", name) for n in range(8))]
    other = [utterance(n, "ka ok", "B", name) for name in "ab" for n in range(4)]
    annotators = {"A": "Ana", "B": "Eva"}
    heard = [(u, measured(u, heard="ca oc")) for u in other]
    found = other_conventions(examined(*rows, *heard, annotators=annotators))
    # That k is written tells nothing: a weak recogniser would not hear it either.
    assert [f.suggestion.partition(", unlike")[0] for f in found] == ["annotator Eva: c is heard 16 × and written 0 ×"]
    assert (found[0].places, found[0].tiers) == (8, (("a", "B"), ("b", "B")))


def test_another_channel_is_louder_where_the_text_is():
    own = {"levels_db": (-20.0, -40.0)}
    rows = usual_ones(**own)
    eva = [
        (u, measured(u, levels_db=(-40.0, -20.0))) for u in (utterance(n, tier="B", channel=1) for n in range(60, 70))
    ]
    one = utterance(1)
    there = measured(one, 30, levels_db=(-41.0, -22.0), other_costs=((1, 5.0),))
    (found,) = wrong_channels(examined(*rows, *eva, (one, there)))
    assert (found.suggestion, found.edit) == ("move to tier B: channel 2 is louder here", {"tier": "B"})
    # Eva speaks loudly meanwhile: the text does not fit there.
    cough = measured(one, 5, levels_db=(-41.0, -22.0), other_costs=((1, 45.0),))
    assert wrong_channels(examined(*rows, *eva, (one, cough))) == []
    # One microphone for both: no channel is anybody's.
    rows = usual_ones(levels_db=(-20.0, -20.5))
    assert (
        wrong_channels(examined(*rows, (one, measured(one, levels_db=(-22.0, -20.0), other_costs=((1, 5.0),))))) == []
    )


def test_one_of_two_equal_annotations_is_the_copy():
    one, copy = utterance(1, "quitta in cihuatl", "A"), utterance(1, "quitta in cihuatl", "B", channel=1)
    pairs = [(one, measured(one, levels_db=(-20.0, -41.0))), (copy, measured(copy, levels_db=(-20.0, -41.0)))]
    (found,) = copies(examined(*usual_ones(), *pairs))
    assert (found.tier, found.edit) == ("B", {"delete": True})
    assert found.suggestion == "the same text stands at the same time on tier A: delete this one"
    # On one channel: the one that fits worse.
    mono = utterance(1, "quitta in cihuatl", "B")
    (found,) = copies(examined(*usual_ones(), (one, measured(one, 40)), (mono, measured(mono, 6))))
    assert found.tier == "A"


def test_a_text_was_pasted_over_the_next_one():
    one, after = utterance(1, "quitta in cihuatl"), utterance(2, "quitta in cihuatl")
    (found,) = copies(examined(*usual_ones(), (one, measured(one)), (after, measured(after, 48, heard="nehuatl"))))
    assert (found.start_ms, found.edit) == (after.start_ms, {"text": "nehuatl"})
    # Who says it twice has not copied it.
    assert copies(examined(*usual_ones(), (one, measured(one)), (after, measured(after, 6)))) == []
