"""Small corpora of real ELAN files and of recordings that nothing listens to."""

from u2u_hf.formats.eaf import write_eaf
from u2u_hf.records import Annotation, Tier

HELLO = [Tier("transcription", (Annotation(1000, 2000, "Hola."),), participant="AR")]


def make_corpus(root, *names):
    """Make files such as ``a.eaf`` and ``audio/a.wav`` in the folder `root`, and return the folder.

    Each .eaf links to the recording of its own name.
    """
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix.lower() == ".eaf":
            write_eaf(path, HELLO, [path.with_suffix(".wav").name])
        else:
            path.write_bytes(b"sound")
    return root
