import pytest

from u2u_hf.recognition.recognizer import Recognizer


@pytest.fixture(scope="module")
def recognizer(trained_model):
    return Recognizer(trained_model)
