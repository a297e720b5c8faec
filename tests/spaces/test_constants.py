"""Values that the browser pages repeat in JavaScript (spaces/browser/constants.js) equal Python's."""

import dataclasses
import inspect
import json
import shutil
import subprocess

import pytest
from conftest import PROJECT

from u2u_hf import frames, model_folder
from u2u_hf.corpus.folder import AUDIO_SUFFIXES
from u2u_hf.data import audio
from u2u_hf.data.dataset import FEATURES
from u2u_hf.formats import readers, writers
from u2u_hf.recognition import beam_search, character_model, confidence_features
from u2u_hf.recognition.decoding import DELIMITER
from u2u_hf.recognition.families.registry import FAMILIES
from u2u_hf.transcription import voice_detection

MODULE = PROJECT / "spaces" / "browser" / "constants.js"


@pytest.fixture(scope="module")
def constants():
    """Every export of constants.js, by name."""
    if not shutil.which("node"):
        pytest.skip("Node.js is not installed")
    code = f"console.log(JSON.stringify(await import({json.dumps(MODULE.as_uri())})))"
    command = ["node", "--input-type=module", "--eval", code]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_constants_are_equal_to_python(constants):
    formats = {name: suffix for name, (suffix, *_) in writers.FORMATS.items()}
    offered = constants["TRANSCRIPT_FORMATS"]
    assert constants == {
        "SAMPLING_RATE": frames.SAMPLING_RATE,
        "FRAME_STRIDE": frames.STRIDE,
        "RECEPTIVE_FIELD": frames.RECEPTIVE_FIELD,
        "LOWEST_RATE": audio._LOWEST_RATE,
        "MOST_CHANNELS": audio._MOST_CHANNELS,
        "DETECTION_FRAME_SAMPLES": voice_detection.FRAME_SAMPLES,
        "DETECTION_SETTINGS": dataclasses.asdict(voice_detection.VadSettings()),
        "WORD_DELIMITER": DELIMITER,
        "MODEL_FILES": dict(zip(constants["MODEL_FILES"], model_folder.BROWSER_FILES, strict=True)),
        "START": character_model.START,
        "END": character_model.END,
        "BEAM_WIDTH": inspect.signature(beam_search.beam_search).parameters["width"].default,
        "LEAST_LOG_PROB": beam_search._LEAST_LOG_PROB,
        "LANGUAGE_MODEL_FILES": {
            "weights": f"{model_folder.LANGUAGE_MODEL}/{model_folder.ARPA_WEIGHTS}",
            "characters": f"{model_folder.LANGUAGE_MODEL}/{model_folder.ARPA}",
            "words": f"{model_folder.LANGUAGE_MODEL}/{model_folder.ARPA_WORDS}",
        },
        "CALIBRATION_FILE": model_folder.CALIBRATION,
        "CALIBRATION": {
            "wordFeatures": list(confidence_features.WORD_FEATURES),
            "segmentFeatures": list(confidence_features.SEGMENT_FEATURES),
            "leastLogProb": confidence_features._LEAST_LOG_PROB,
            "leastMargin": confidence_features._LEAST_MARGIN,
            "mostMargin": confidence_features._MOST_MARGIN,
            "some": confidence_features._SOME,
            "secondsPerFrame": confidence_features._SECONDS_PER_FRAME,
        },
        "MODEL_CARD": model_folder.CARD,
        "INT8_WEIGHTS": f"{model_folder.ONNX}/{model_folder.SMALL}",
        "FLOAT32_WEIGHTS": f"{model_folder.ONNX}/{model_folder.FULL}",
        "ARCHITECTURES": {
            family.architecture: {
                "receptiveField": family.inputs.receptive_field,
                "normalised": family.inputs.normalised,
            }
            for family in FAMILIES.values()
        },
        "TRANSCRIPT_FORMATS": {name: formats[name] for name in offered},
        "UNSURE_BELOW": writers.UNSURE_BELOW,
        "UNSURE_WORD_BELOW": 0.5,
        "ANNOTATION_SUFFIXES": sorted(suffix.lower() for suffix in readers.suffixes()),
        "AUDIO_SUFFIXES": list(AUDIO_SUFFIXES),
        "DATASET_COLUMNS": {name: value.dtype for name, value in FEATURES.items() if name != "audio"},
    }
    assert set(offered) >= {"eaf", "textgrid"}


def test_no_constant_is_written_twice(constants):
    """Other modules import the suffixes and file names; they do not spell them again."""
    once = [
        *constants["MODEL_FILES"].values(),
        *constants["LANGUAGE_MODEL_FILES"].values(),
        *(constants[name] for name in ("MODEL_CARD", "CALIBRATION_FILE", "INT8_WEIGHTS", "FLOAT32_WEIGHTS")),
        *constants["ARCHITECTURES"],
        *constants["AUDIO_SUFFIXES"],
        *constants["ANNOTATION_SUFFIXES"],
    ]
    others = [path for path in MODULE.parent.glob("*.js") if path != MODULE and ".test." not in path.name]
    assert len(others) > 15
    for path in others:
        text = path.read_text(encoding="utf-8")
        assert [value for value in once if f'"{value}"' in text] == [], path.name
