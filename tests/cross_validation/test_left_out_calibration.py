import numpy as np

from u2u_hf.cross_validation.left_out_calibration import as_compared, calibrate_on
from u2u_hf.cross_validation.unseen import Unseen, as_lines, read_lines
from u2u_hf.evaluation.scoring import Pair
from u2u_hf.model_folder import CALIBRATION
from u2u_hf.recognition.calibration import Calibration, Calibrations, Isotonic, Linear, load, save
from u2u_hf.records import Word

OTHER = Calibration(Isotonic((0.5,), (0.5,)), Linear((0, 0, 0, 0, 1.0)))


def unseen(row, speaker, rng):
    """Four words of two characters; each is wrong by one character as often as its second feature says."""
    chances = rng.uniform(0.05, 0.95, 4)
    right = rng.random(4) < chances
    hypothesis = " ".join("ka" if one else "ki" for one in right)
    pair = Pair("r", "tx", speaker, 0, 1000, "ka ka ka ka", hypothesis)
    features = tuple((-0.1, float(np.log(chance)), *(0.0,) * 6) for chance in chances)
    words = tuple(Word(text, 0, 100, 0.9) for text in hypothesis.split())
    return Unseen(row, 1, pair, True, 49, 0.9, words, (), features, (0.0, 0.8, 0.0, 0.0, 1.0))


def test_what_was_left_out_tells_by_its_own_file_how_sure_a_model_is(tmp_path):
    rng = np.random.default_rng(0)
    found = [unseen(row, f"s{row % 3}", rng) for row in range(90)]
    (tmp_path / "lines").write_text(as_lines(found), encoding="utf-8")
    assert read_lines(tmp_path / "lines") == found
    one = as_compared(found[0], "speaker")
    assert (one.group, one.reference, one.errors) == ("s0", 11, sum(word.text == "ki" for word in found[0].words))
    assert one.right.tolist() == [word.text == "ka" for word in found[0].words]
    save(Calibrations(None, OTHER), tmp_path)
    said = calibrate_on(found, "speaker", tmp_path)
    assert said.startswith("confidence is calibrated on 90 utterances that were left out;")
    assert said.endswith("; the test split is among them, so it no longer shows how far this confidence can be trusted")
    assert load(str(tmp_path)).with_language_model == OTHER
    fitted = load(str(tmp_path)).alone
    assert fitted.chances(one.features[:1])[0] == np.clip(fitted.chances(one.features[:1])[0], 0.02, 0.98)
    low, high = fitted.chances(np.array([[-0.1, np.log(0.1), *(0,) * 6], [-0.1, np.log(0.9), *(0,) * 6]]))
    assert low < 0.3 < 0.7 < high


def test_too_little_leaves_the_model_as_it_is(tmp_path):
    save(Calibrations(OTHER), tmp_path)
    before = (tmp_path / CALIBRATION).read_bytes()
    said = calibrate_on([unseen(0, "s", np.random.default_rng(0))], "recording", tmp_path)
    assert "1 utterances that were left out with" in said
    assert (tmp_path / CALIBRATION).read_bytes() == before
