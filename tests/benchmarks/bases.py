"""What each base model needs: the table in README.md, of random weights in the published configurations.

    python tests/benchmarks/bases.py --folder /somewhere/with/3/GB

Weights do not change size, memory or time. What is measured, and how:

- training: the bytes that a step keeps for its backward pass, counted by autograd's hooks on batches of 5 and 15 s
  (utterances of 5 s) and extended to the default 75 s, in bfloat16 as on a GPU; with weights, gradients and AdamW's
  state in float32, 16 bytes for each parameter that is trained. The tensors are fake: nothing is computed. One real
  step of the first base, in float32 on the processor, tells how far the count is from the peak of a process.
- int8: the size of the file that export.py makes.
- transcription: a process of its own recognises utterances of 10 s with that file, one in each of the threads that
  transcribe.py has (two, on two cores): the median of five rounds in seconds for an hour of speech, their range, and
  the process's peak. The seconds are processor time divided by the threads: on a busy computer the clock tells less.

The memory of processes is read from Linux.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

RATE, UTTERANCE_S, BATCH_S = 16_000, 5, 75
LETTERS = "abcdefghijklmnopqrstuvwxyzñáéíóú¹²³⁴'"
# Regularisation of 1 to 10 hours of speech, without dropped layers. Without dropout, attention on a processor keeps as
# little as a GPU's does with it: no weights.
DROPOUT = {"hidden_dropout": 0.1, "activation_dropout": 0.1, "final_dropout": 0.1, "attention_dropout": 0.0}
WHOLE = {**DROPOUT, "apply_spec_augment": False, "layerdrop": 0.0, "mask_time_prob": 0.0, "mask_feature_prob": 0.0}
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
LAYER_NORMS = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}

# What differs from the defaults of transformers' configurations in the config.json of each model on the Hub. The
# defaults are those of HuBERT base, WavLM base, w2v-BERT 2.0 and Omnilingual ASR CTC 300M.
BASES = {
    "utter-project/mHuBERT-147": ("HubertConfig", {}),
    "microsoft/wavlm-base-plus": ("WavLMConfig", {}),
    "microsoft/wavlm-large": ("WavLMConfig", {**LARGE, **LAYER_NORMS}),
    "facebook/wav2vec2-xls-r-300m": ("Wav2Vec2Config", {**LARGE, **LAYER_NORMS, "conv_bias": True}),
    "hf-audio/omniasr-ctc-300m-v2": ("OmniASRCTCConfig", {}),
    "facebook/w2v-bert-2.0": ("Wav2Vec2BertConfig", {}),
    "facebook/mms-1b-all": (
        "Wav2Vec2Config",
        {
            **{**LARGE, "hidden_size": 1280, "num_hidden_layers": 48, "intermediate_size": 5120},
            **{**LAYER_NORMS, "conv_bias": True, "adapter_attn_dim": 16},
        },
    ),
}

COUNTED_ONLY = ("facebook/mms-1b-all",)  # its export needs more than 10 GB of memory


def published(name: str):
    """Config with a head for `LETTERS`, family and processor of a base model, without dropped layers and masks."""
    import transformers

    from u2u_hf.recognition.families.registry import family_named
    from u2u_hf.recognition.tokenizer import build_tokenizer

    kind, changes = BASES[name]
    config = getattr(transformers, kind)(**changes)
    family = family_named(config.model_type)
    tokenizer = build_tokenizer([LETTERS])
    family.configure(config, len(tokenizer), tokenizer.pad_token_id, WHOLE)
    settings = {"do_normalize": True} if family.inputs.normalised else {}
    extractor = getattr(transformers, family.inputs.extractor)(**settings)
    return config, family, family.processor(feature_extractor=family.extractor(extractor, config), tokenizer=tokenizer)


def random_model(config, family):
    """A base model as training begins with it."""
    import torch
    from transformers import AutoModelForCTC

    torch.manual_seed(0)
    model = AutoModelForCTC.from_config(config)
    family.prepare(model, WHOLE)
    return model


def speech(seconds: float, count: int) -> list:
    import numpy as np

    random = np.random.default_rng(0)
    return [(random.standard_normal(round(seconds * RATE)) * 0.1).astype(np.float32) for _ in range(count)]


def kept_bytes(name: str, seconds: int, half: bool) -> tuple[int, int, int]:
    """Bytes that a step on so many seconds keeps; parameters; those of them that are trained."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    config, family, processor = published(name)
    given = family.inputs.batch(processor.feature_extractor, speech(UTTERANCE_S, seconds // UTTERANCE_S))
    with FakeTensorMode():
        model = random_model(config, family)
        main_input = torch.empty(given[model.main_input_name].shape)  # without a mask, which hides no frame
        own = {tensor.untyped_storage()._cdata for tensor in (*model.parameters(), *model.buffers())}
        kept = {}

        def keep(tensor):
            storage = tensor.untyped_storage()
            if storage._cdata not in own:
                kept[storage._cdata] = storage
            return tensor

        model.train()
        for module in model.modules():
            if hasattr(module, "layerdrop"):
                module.training = False  # else it compares a random number, which a fake tensor has not
        hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
        with hooks, torch.autocast("cpu", torch.bfloat16, enabled=half):
            model(main_input)
        counts = [[p.numel() for p in model.parameters() if p.requires_grad or every] for every in (True, False)]
        return sum(storage.nbytes() for storage in kept.values()), sum(counts[0]), sum(counts[1])


def training(name: str, half: bool) -> dict:
    """Bytes of a training, and its parameters."""
    small, parameters, trained = kept_bytes(name, UTTERANCE_S, half)
    larger, _, _ = kept_bytes(name, 3 * UTTERANCE_S, half)
    each = (larger - small) / (2 * UTTERANCE_S)
    kept = small + each * (BATCH_S - UTTERANCE_S)
    return {"parameters": parameters, "bytes": 16 * trained + 4 * (parameters - trained) + kept}


def real_step(name: str) -> dict:
    """Peak bytes of this process in one step on the processor, in float32."""
    import torch

    config, family, processor = published(name)
    model = random_model(config, family)
    given = family.inputs.batch(processor.feature_extractor, speech(UTTERANCE_S, BATCH_S // UTTERANCE_S))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad])
    model.train()(**given).logits.sum().backward()
    optimizer.step()
    return {"bytes": peak()}


def export(name: str, folder: Path) -> dict:
    """Size of the int8 file, which is written with what recognition needs beside it."""
    from u2u_hf.model_folder import FULL, ONNX, SMALL
    from u2u_hf.publishing.export_forms import QUANTISED_FORMS
    from u2u_hf.recognition.model import save_processor

    config, family, processor = published(name)
    model = random_model(config, family)
    (folder / ONNX).mkdir(parents=True, exist_ok=True)
    small = folder / ONNX / SMALL
    QUANTISED_FORMS["int8"].write(model.eval(), small.with_name(FULL), small)
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(folder)
    save_processor(processor, folder)
    return {"bytes": small.stat().st_size, "peak": peak()}


def transcription(folder: Path, rounds: int) -> dict:
    """Seconds for an hour of speech, one number for each round, and the peak bytes of this process."""
    from u2u_hf.recognition.recognizer import Recognizer

    recognizer = Recognizer(folder)
    sounds = speech(10, recognizer.parallel_calls)
    hour = 3600 / sum(len(sound) / RATE for sound in sounds)
    seconds = []
    with ThreadPoolExecutor(recognizer.parallel_calls) as pool:
        list(pool.map(recognizer.log_probs, sounds))  # the first calls take memory
        for _ in range(rounds):
            begun = time.process_time()
            list(pool.map(recognizer.log_probs, sounds))
            seconds.append((time.process_time() - begun) / recognizer.parallel_calls * hour)
    return {"seconds": seconds, "bytes": peak(), "threads": recognizer.parallel_calls}


def peak() -> int:
    """Largest resident bytes of this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


STAGES = {
    "training": lambda name, folder: training(name, half=True),
    "counted": lambda name, folder: training(name, half=False),
    "step": lambda name, folder: real_step(name),
    "export": export,
    "transcription": lambda name, folder: transcription(folder, rounds=5),
}


def measure(stage: str, name: str, folder: Path) -> dict:
    """What a stage gives, in a process of its own."""
    command = [sys.executable, __file__, "--folder", str(folder), "--stage", stage, name]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def row(name: str, folder: Path) -> str:
    train = measure("training", name, folder)
    cells = [f"{train['parameters'] / 1e6:.0f} million", f"{4 * train['parameters'] / 1e9:.1f} GB"]
    cells.append(f"{train['bytes'] / 1e9:.1f} GB")
    if name in COUNTED_ONLY:
        return f"| {name} | {' | '.join(cells)} | not measured | | |"
    size, heard = measure("export", name, folder), measure("transcription", name, folder)
    seconds = heard["seconds"]
    cells += [f"{size['bytes'] / 1e6:.0f} MB", f"{heard['bytes'] / 1e9:.1f} GB"]
    cells.append(f"{statistics.median(seconds):.0f} s ({min(seconds):.0f} to {max(seconds):.0f})")
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--stage", choices=STAGES, help="measure only this, of one base, and print JSON")
    parser.add_argument("names", nargs="*", default=list(BASES))
    args = parser.parse_args()
    if args.stage:
        print(json.dumps(STAGES[args.stage](args.names[0], args.folder)))
        return
    print("| base | parameters | float32 | training | int8 | transcription | an hour of speech |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in args.names:
        print(row(name, args.folder / name.replace("/", "_")), flush=True)
    step, counted = (measure(stage, args.names[0], args.folder)["bytes"] / 1e9 for stage in ("step", "counted"))
    print(f"\na step of {args.names[0]} in float32: {step:.1f} GB, counted {counted:.1f} GB; {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
