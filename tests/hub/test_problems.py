"""What the Hub, or what stands in its place, answers: in one line, with its own words and what to do."""

import pytest
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import hf_raise_for_status, httpx

from u2u_hf.hub.problems import hub_problem, loading_problem
from u2u_hf.memory import memory_problem
from u2u_hf.records import U2UError

ASKED = httpx.Request("POST", "https://huggingface.co/api/models/ana/ears/commit/main")
FULL = "Private repository storage limit reached, please upgrade your plan"
DELETE = "delete what you do not need there, or see your plan at https://huggingface.co/settings/billing"


def refusal(status, message="", **more):
    """The error of the Hub's client for an answer."""
    response = httpx.Response(status, request=ASKED, **({"json": {"error": message}} | more))
    with pytest.raises(HfHubHTTPError) as raised:
        hf_raise_for_status(response)
    return raised.value


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (
            402,
            "Pay first",
            "Pay first): buy credit, or see what your plan includes at https://huggingface.co/settings/billing",
        ),
        (403, FULL, f"{FULL}): {DELETE}"),
        (403, "Access to this repo is disabled", "Access to this repo is disabled): "),
        (413, "Payload too large", "Payload too large): push smaller or fewer files"),
        (429, "You hit the quota of 1000 requests", "quota of 1000 requests): wait some minutes, then run the same"),
        (507, "No space left", f"No space left): {DELETE}"),
        (503, "Overloaded", "Overloaded): try again later"),
        (400, "Bad name", "Bad name): see its page on the Hub"),
    ],
)
def test_the_hubs_own_words_are_told(status, message, words):
    said = hub_problem(refusal(status, message), "write")
    assert said.startswith(f"the Hugging Face Hub refuses (HTTP {status}: ")
    assert words in said


@pytest.mark.parametrize("status", [402, 413, 429, 507])
def test_a_refusal_without_words_says_what_to_do(status):
    said = hub_problem(refusal(status))
    assert said.startswith(
        f"the Hugging Face Hub {'is busy or has an error' if status == 507 else 'refuses'} (HTTP {status}): "
    )


def test_its_words_are_one_line_without_control_characters():
    said = hub_problem(refusal(402, "Pay\nhere\x1b[31m\u202e" + "x" * 500))
    assert "Pay here‹U+001B›[31m‹U+202E›x" in said
    assert len(said) < 300
    xml = refusal(403, headers={"Content-Type": "application/xml"}, json=None, text="<Error><Code>Old</Code></Error>")
    assert "(HTTP 403: Old)" in hub_problem(xml)


@pytest.mark.parametrize("page", ["<!doctype html><title>Log in</title>", "", "Success"])
def test_a_page_in_the_hubs_place_is_called_one(page):
    with pytest.raises(ValueError, match="Expecting value") as error:
        httpx.Response(200, text=page, request=ASKED).json()
    said = hub_problem(error.value)
    assert said.startswith("another page answers in place of https://huggingface.co")
    assert "log in to the network" in said
    assert hub_problem(refusal(511)) == said


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        RuntimeError("std::bad_alloc"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_too_little_memory_is_said(error, tmp_path):
    wrapped = ValueError("Unable to load weights")
    wrapped.__cause__ = error
    for raised in (error, wrapped):
        assert memory_problem(raised).startswith("there is not enough memory: close other programs")
        assert hub_problem(raised) == memory_problem(raised) == loading_problem(str(tmp_path), "model", raised)


def test_other_errors_are_not_for_lack_of_memory(tmp_path):
    for error in (OSError("out of memory.wav is missing"), U2UError("bad_alloc.eaf: is empty"), ValueError("no"), None):
        assert memory_problem(error) == ""
    damaged = loading_problem(str(tmp_path), "model", ValueError("Expecting value.\nmore"))
    assert damaged == "Expecting value: it may be damaged: copy or download it again"
