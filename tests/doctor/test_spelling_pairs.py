from u2u_hf.doctor.spelling_pairs import Spellings, Swap, swapped

TEXTS = ["quitta michin", "quitta", "quitta in atl", "quita in etl", "oquichtli", "oquichtli", "oquichtli ocquichtil"]


def test_rare_words_are_doubtful_beside_frequent_ones():
    swaps = Spellings(TEXTS).swaps
    assert swaps("quita in etl") == [Swap(0, "quita", "quitta", True), Swap(2, "etl", "atl", False)]
    assert swaps("quitta in atl") == [Swap(0, "quitta", "quita", False), Swap(2, "atl", "etl", False)]
    # Two letters in long words only.
    assert swaps("ocquichtil") == []
    assert Spellings([*TEXTS, "ocquichtl"]).swaps("ocquichtl")[0] == Swap(0, "ocquichtl", "oquichtli", True)
    assert swaps("in michin") == []


def test_a_word_is_swapped_in_its_text():
    assert swapped("quita in etl", Swap(0, "quita", "quitta", True)) == "quitta in etl"
