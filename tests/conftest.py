import os
import runpy
import select
import shlex
import socket
import sys
import tempfile
from pathlib import Path

import pytest
from support import programs
from support.shared import shared_folder

PROJECT = Path(__file__).parent.parent
RECIPES = PROJECT / "recipes"


# Nothing in the tests, nor in what they start, may reach beyond this computer or the user's caches. Set here, before
# any test module imports the libraries: they read these once.
_HF_HOME = tempfile.TemporaryDirectory(prefix="hf_home_")
os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HOME=_HF_HOME.name)
if int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1:
    # Each test process and what it starts keep to one core: threads that wait for each other's cores slow all down.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


class Outside:
    """What programs take for the way to all other computers: who wants to send something there is noticed."""

    def __init__(self, listening):
        self._listening = listening
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.environment = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), address)
        self.environment |= {"NO_PROXY": "127.0.0.1,localhost", "HF_HUB_OFFLINE": "0"}

    def asked_for(self):
        """What the first who came wanted, or the empty string if nobody did."""
        if not select.select([self._listening], [], [], 0)[0]:
            return ""
        caller, _ = self._listening.accept()
        with caller:
            return caller.recv(200).decode("latin-1").splitlines()[0]


@pytest.fixture(scope="module")
def outside():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield Outside(listening)


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory):
    """A small demo corpus: four recordings with ELAN files, one new recording, the reference."""
    from u2u_hf.demo.corpus import make_demo_corpus

    return shared_folder(
        tmp_path_factory, "demo", lambda folder: make_demo_corpus(folder, recordings=4, new_recordings=1, turns=6)
    )


@pytest.fixture(scope="session")
def new_recording(demo_folder):
    """The demo's recording without a transcript: WAV, two channels, 48 kHz."""
    (path,) = (demo_folder / "new_recordings").glob("*.wav")
    return path


@pytest.fixture
def louder_second(new_recording, tmp_path):
    """The demo's first microphone 20 dB louder on channel 2 than on channel 1, and a mono file of that channel 1."""
    import numpy as np
    import soundfile

    samples, rate = soundfile.read(new_recording, always_2d=True)
    first = 0.1 * samples[:, 0]
    both, alone = tmp_path / "louder second.wav", tmp_path / "first alone.wav"
    soundfile.write(both, np.stack([first, samples[:, 0]], axis=1), rate)
    soundfile.write(alone, first, rate)
    return both, alone


@pytest.fixture(scope="session")
def recipe():
    """Run a recipe as a user does: ``recipe("prepare.py", "--corpus", …)`` → finished process."""
    programs.open_door()  # before a test makes an environment of this process's

    def run(name, *arguments, **settings):
        return programs.run([RECIPES / name, *arguments], **settings)

    return run


@pytest.fixture
def understood(monkeypatch):
    """Hold a command line against its recipe's parser: adding an unknown flag is all that it minds."""

    def understood(command):
        words = shlex.split(command)
        at = next(i for i, word in enumerate(words) if word.startswith("recipes/"))
        launchers = ["accelerate", "launch", "--quiet"], ["accelerate", "launch"], ["torchrun", "--nproc_per_node", "4"]
        assert words[:at] in (["python"], *launchers)
        # Before the others: what comes after them may be taken for something that they lack.
        monkeypatch.setattr(sys, "argv", [words[at], "--not_a_flag=x", *words[at + 1 :]])
        with pytest.raises(SystemExit, match=r"^error: unknown argument --not_a_flag"):
            runpy.run_path(str(PROJECT / words[at]), run_name="__main__")

    return understood


@pytest.fixture(scope="session")
def demo_dataset(demo_folder, recipe, tmp_path_factory):
    """The small demo corpus, prepared."""

    def make(folder):
        result = recipe("prepare.py", "--corpus", demo_folder / "corpus", "--output_dir", folder / "dataset")
        assert result.returncode == 0, result.stderr

    return shared_folder(tmp_path_factory, "prepared", make) / "dataset"


@pytest.fixture(scope="session")
def random_base(tmp_path_factory):
    """A very small HuBERT with random weights, as a folder that a base model is loaded from."""
    import torch
    from transformers import HubertConfig, HubertModel, Wav2Vec2FeatureExtractor

    torch.manual_seed(0)
    config = HubertConfig(
        conv_dim=(8,) * 7,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        num_conv_pos_embeddings=8,
        num_conv_pos_embedding_groups=2,
        mask_time_prob=0.0,
        layerdrop=0.0,
    )
    folder = tmp_path_factory.mktemp("random_base")
    HubertModel(config).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def random_model(random_base, tmp_path_factory):
    """A recogniser with random weights for the letters a, b, ñ, ¹: it writes nonsense, but it writes."""
    import torch

    from u2u_hf.recognition.model import start_from

    folder = tmp_path_factory.mktemp("random_model")
    model, processor = start_from(str(random_base), ["ab ña¹"])
    with torch.no_grad():
        model.lm_head.bias[1] = -100.0  # as after training: the unknown character is never heard
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def trained_model(demo_dataset, tmp_path_factory):
    """The demo's base model with a head learnt in seconds on the small demo corpus: most of what it writes is right."""
    return shared_folder(tmp_path_factory, "trained_model", lambda folder: train_head(demo_dataset, folder))


def train_head(dataset, folder):
    import torch

    from u2u_hf.data.audio import decode_mono
    from u2u_hf.data.dataset import load_splits
    from u2u_hf.demo.quickstart import BASE_MODEL
    from u2u_hf.recognition.model import start_from

    rows = [row for split in load_splits(dataset).values() for row in split]
    torch.manual_seed(0)
    model, processor = start_from(str(BASE_MODEL), [row["text"] for row in rows])
    heard, targets = [], []
    with torch.inference_mode():
        for row in rows:
            samples = decode_mono(row["audio"]["bytes"])
            inputs = processor.feature_extractor(samples, sampling_rate=16_000, return_tensors="pt").input_values
            heard.append(model.eval().hubert(inputs).last_hidden_state[0])
            targets.append(torch.tensor(processor.tokenizer(row["text"]).input_ids))
    frames, lengths = (torch.tensor([len(item) for item in row]) for row in (heard, targets))
    hidden, labels = torch.nn.utils.rnn.pad_sequence([h.clone() for h in heard]), torch.cat(targets)
    # With noise on what the head hears, other seeds and processors give a head as good: without it, some make twice the
    # errors of others where a recording is cut or joined.
    spread = 0.8 * hidden.std()
    optimizer = torch.optim.Adam(model.lm_head.parameters(), lr=0.01)
    for _ in range(300):
        log_probs = model.lm_head(hidden + spread * torch.randn_like(hidden)).log_softmax(-1)
        loss = torch.nn.functional.ctc_loss(log_probs, labels, frames, lengths)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def write_with_ffmpeg(path, codec, signal, rate, starts_at=0):
    """Samples float32 [C, N] in a container, whose clock begins `starts_at` seconds late."""
    import av

    layout = {1: "mono", 2: "stereo"}[len(signal)]
    with av.open(str(path), "w") as media:
        stream = media.add_stream(codec, rate=rate, layout=layout, bit_rate=128_000)
        frame = av.AudioFrame.from_ndarray(signal, format="fltp", layout=layout)
        frame.rate, frame.pts = rate, starts_at * rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            media.mux(packet)


# Who asks for one of these waits for a program to start, a model to be trained or a page to be built.
_SLOW_FIXTURES = {"recipe", "demo_dataset", "trained_model", "exported", "site", "chromium", "server", "outside"}


def pytest_collection_modifyitems(items):
    """Mark slow tests, and begin with the files that take longest, so that in the end no process is left alone."""
    slow_files = set()
    for item in items:
        if _SLOW_FIXTURES & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)
            slow_files.add(item.path)

    def turn(item):
        longest = "npm_packages" in item.fixturenames or item.path.name == "test_quickstart.py"
        return 0 if longest else 1 if item.path in slow_files else 2

    items.sort(key=turn)


def pytest_addoption(parser):
    parser.addoption("--no-skips", action="store_true", help="a skipped test is a failed one")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and item.config.getoption("--no-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped: {report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr}"
    return report


@pytest.fixture(scope="session")
def field_recordings():
    """Real recordings with ELAN files: Abui, four transcribed and one not; not part of the project."""
    folder = os.environ.get("FIELD_RECORDINGS")
    if not folder:
        pytest.skip("FIELD_RECORDINGS does not name the folder of the Abui recordings")
    return Path(folder)


@pytest.fixture(scope="session")
def elan_schema():
    """Validate an .eaf against ELAN's own schema."""
    path = os.environ.get("EAF_XSD")
    if not path:
        pytest.skip("EAF_XSD does not name ELAN's schema EAFv3.0.xsd")
    import xmlschema

    return xmlschema.XMLSchema(path).validate
