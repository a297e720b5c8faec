"""Helpers of the static Space's tests: a model to export, servers, downloads."""

import json
import shutil
import sys
import threading
from contextlib import contextmanager
from functools import partial
from http.server import ThreadingHTTPServer

import torch
from conftest import PROJECT

from support.hub_server import running_hub

sys.path.insert(0, str(PROJECT / "spaces" / "browser"))

from serve import Handler

from u2u_hf.data.audio import audio_info, read_audio
from u2u_hf.data.inputs import inputs_of
from u2u_hf.publishing.export import export
from u2u_hf.recognition.families.registry import family_of
from u2u_hf.recognition.model import load_trained
from u2u_hf.transcription import voice_detection
from u2u_hf.transcription.segmentation import find_speech

TEMPLATE = PROJECT / "spaces" / "browser"


def exported_when_sure(source, recording, folder):
    """Export a model after training its head on its own labels of `recording`, until it is confident of each frame.

    A model with little training has many frames with two equally probable labels. With int8 weights, rounding decides
    between them, and no two computers give the same text.
    """
    model, processor = load_trained(str(source))
    info, hidden = audio_info(recording), []
    with torch.inference_mode():
        for segment in find_speech(info, voice_detection.VadSettings()).segments:
            (samples,) = read_audio(info, segment.start_ms, segment.end_ms, [segment.channel])
            extractor = processor.feature_extractor
            hidden.append(model.base_model(**inputs_of(extractor).batch(extractor, [samples])).last_hidden_state[0])
    frames, head = torch.cat(hidden).clone(), getattr(model, family_of(model).head)
    labels = head(frames).argmax(1)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.01)
    for _ in range(500):
        loss = torch.nn.functional.cross_entropy(head(frames), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    export(str(folder), folder)
    return folder


@contextmanager
def served(folder, isolated=True):
    """Yield the address of a server of `folder`, like serve.py's, with or without the headers for threads."""
    handler = type("Local", (Handler,), {} if isolated else {"extra": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def hub_and_page(site, folder, **settings):
    """Yield a Hub, and the address of a copy of the page that uses this Hub."""
    shutil.copytree(site, folder / "site")
    about = folder / "site" / "space.json"
    with running_hub(folder / "blobs") as hub, served(folder / "site") as address:
        settings = json.loads(about.read_text(encoding="utf-8")) | {"own": False, "hub": hub.url} | settings
        about.write_text(json.dumps(settings), encoding="utf-8")
        yield hub, address


def wait_for(page, selector, text):
    # By itself Playwright would look 60 times a second, and a page that recognises speech has no time for that.
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector)?.textContent.includes(text)",
        arg=[selector, text],
        polling=50,
    )


def saved(page, button, folder):
    with page.expect_download() as download:
        button.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path
