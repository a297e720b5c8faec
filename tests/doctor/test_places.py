from support.examined import utterance

from u2u_hf.doctor.places import OWN, Place, best_place

ONE = utterance(1)  # from 5 s to 7 s


def test_whole_speech_needs_no_other_place():
    assert best_place(ONE, 0, 60_000, [(5100, 6900)]) == OWN
    assert best_place(ONE, 0, 60_000, []) == OWN


def test_the_annotation_moves_to_its_speech():
    # Speech of 1.8 s a second later: 1 s of it is inside and 0.4 s right behind. 0.8 s later all is inside.
    assert best_place(ONE, 0, 60_000, [(6000, 7800)]) == Place(900, 1800 - (1000 - 400))
    assert best_place(ONE, 0, 60_000, [(4200, 6000)]) == Place(-900, 1800 - (1000 - 400))


def test_it_stays_between_its_neighbours():
    # The next one begins at 7.5 s: what is said there is its own.
    assert best_place(ONE, 0, 7500, [(5600, 7400), (7500, 9000)]).by_ms <= 500
    assert best_place(ONE, 5000, 7000, [(6000, 7800)]) == OWN
