"""How far a run is, by the plain lines that its bars write into its log."""

import re

# Not the lines on a recording that is done: "a.wav → a.eaf (channel 1: 40% speech)".
_LINE = re.compile(r"^(?P<what>[^\n%→(]{1,80}?): +(?P<percent>\d{1,3})%(?P<rest>[^\n]*)$", re.MULTILINE)
_ROUND = re.compile(r"^round \d+, (\d+)/(\d+)  ", re.MULTILINE)
_LEFT = re.compile(r"<([\d:]+)|([\d:]+) left")


def progress_in(log: str) -> tuple[float | None, str, str]:
    """Return the share done, 0…1 or None, the time left, and what is done, by the last line that tells.

    >>> progress_in("training: 41% 98/240 [01:38<04:21,  1.84s/step]")
    (0.41, '04:21', 'training')
    """
    found = list(_LINE.finditer(log))
    if not found:
        return None, "", ""
    last = found[-1]
    left = _LEFT.search(last["rest"])
    return min(1.0, int(last["percent"]) / 100), (left[1] or left[2]) if left else "", last["what"]


def round_in(log: str) -> tuple[int, int, str]:
    """Return in which step of how many a round is, 0 if it has none yet, and what it wrote since that began.

    >>> round_in("round 2, 3/11  the recogniser learns\\ntraining: 41% 98/240")
    (3, 11, 'the recogniser learns\\ntraining: 41% 98/240')
    """
    found = list(_ROUND.finditer(log))
    return (int(found[-1][1]), int(found[-1][2]), log[found[-1].end() :]) if found else (0, 0, log)
