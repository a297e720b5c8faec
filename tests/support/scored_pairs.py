"""Four utterances of two speakers in two recordings, with their hypotheses."""

from u2u_hf.evaluation.scoring import Pair

PAIRS = [
    Pair("story", "Ana_tx", "Ana", 0, 3600, "ka¹ ná", "ka¹ ná"),
    Pair("story", "Eva_tx", "Eva", 3_661_001, 3_668_201, "ka¹ na", "ka na"),
    Pair("talk", "Eva_tx", "Eva", 500, 4100, "tí", "ti ti"),
    Pair("talk", "Eva_tx", "Eva", 5000, 8600, "o" * 40, "o" * 38),
]
