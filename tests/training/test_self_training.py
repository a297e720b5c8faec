from u2u_hf.training.self_training import (
    Recognised,
    strangeness,
)


def test_speech_is_strange_if_next_to_none_of_it_reaches_the_middle_of_validation():
    validation = [Recognised("a", score) for score in (0.2, 0.4, 0.6, 0.8, 0.9)]  # the middle is 0.6
    alike = [Recognised("a", 0.6)] * 1 + [Recognised("a", 0.1)] * 9
    other = [Recognised("a", 0.6)] * 1 + [Recognised("a", 0.59)] * 19
    assert strangeness(alike, validation) == ""
    assert "for only 5% of it: another language, music or noise?" in strangeness(other, validation)
