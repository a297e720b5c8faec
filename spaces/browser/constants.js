// What these pages share with the Python library: tests/spaces/test_constants.py compares each value with Python's.

// u2u_hf/frames.py: samples, and frames of the convolutional encoder.
export const SAMPLING_RATE = 16_000; // Hz
export const FRAME_STRIDE = 320; // samples
export const RECEPTIVE_FIELD = 400; // samples

// u2u_hf/data/audio.py: recordings with a lower rate or more channels have a damaged header.
export const LOWEST_RATE = 1000; // Hz
export const MOST_CHANNELS = 256;

// u2u_hf/transcription/voice_detection.py: frames and defaults of speech detection.
export const DETECTION_FRAME_SAMPLES = 512;
export const DETECTION_SETTINGS = {
  threshold: 0.5,
  min_speech_ms: 200,
  min_silence_ms: 400,
  pad_ms: 120,
  max_segment_ms: 20_000,
  crosstalk_db: 10,
};

// u2u_hf/recognition/decoding.py
export const WORD_DELIMITER = "|";

// u2u_hf/recognition/character_model.py: the start and the end of a text, one character each.
export const START = "\x02";
export const END = "\x03";

// u2u_hf/recognition/beam_search.py: beams kept from frame to frame; less probable characters are skipped.
export const BEAM_WIDTH = 16;
export const LEAST_LOG_PROB = -9;

// u2u_hf/recognition/confidence_features.py
export const CALIBRATION = {
  wordFeatures: ["certainty", "weakest", "margin", "length", "pace", "doubt", "edges", "whole", "language"],
  segmentFeatures: ["wrong", "raw", "missed", "doubt", "seconds"],
  leastLogProb: -10,
  leastMargin: -5,
  mostMargin: 8,
  some: 1e-3,
  secondsPerFrame: 0.02,
};

// u2u_hf/model_folder.py: files of a trained model that these pages load.
export const MODEL_FILES = {
  config: "config.json",
  preprocessor: "preprocessor_config.json",
  tokenizer: "tokenizer_config.json",
  vocabulary: "vocab.json",
};
export const LANGUAGE_MODEL_FILES = {
  weights: "language_model/weights.json",
  characters: "language_model/characters.arpa.gz",
  words: "language_model/words.arpa.gz",
};
export const CALIBRATION_FILE = "calibration.json";
export const MODEL_CARD = "README.md";
export const INT8_WEIGHTS = "onnx/model_quantized.onnx";
export const FLOAT32_WEIGHTS = "onnx/model.onnx";

// u2u_hf/recognition/families: architecture in config.json → samples behind one frame, and whether the page normalises
// them as the preprocessor says; otherwise the model's graph does all that is to be done to them.
export const ARCHITECTURES = {
  HubertForCTC: { receptiveField: 400, normalised: true },
  Wav2Vec2ForCTC: { receptiveField: 400, normalised: true },
  WavLMForCTC: { receptiveField: 400, normalised: true },
  Wav2Vec2BertForCTC: { receptiveField: 560, normalised: false },
  OmniASRForCTC: { receptiveField: 400, normalised: false },
};

// u2u_hf/formats/writers.py: the formats that the page offers, the confidence below which a segment is marked, and
// the chance of being right below which a word is.
export const TRANSCRIPT_FORMATS = { eaf: ".eaf", textgrid: ".TextGrid", srt: ".srt", tsv: ".tsv" };
export const UNSURE_BELOW = 0.95;
export const UNSURE_WORD_BELOW = 0.5;

// u2u_hf/formats/readers.py and u2u_hf/corpus/folder.py: suffixes of the files of a corpus, in lower case.
export const ANNOTATION_SUFFIXES = [".csv", ".eaf", ".jsonl", ".textgrid", ".tsv"];
export const AUDIO_SUFFIXES = (
  ".wav .flac .mp3 .ogg .oga .opus .aiff .aif .caf .m4a .mp4 .aac .amr .wma " +
  ".mov .mkv .webm .avi .mts .m2ts .mpg .mpeg .m4v .3gp .wmv .vob .flv"
).split(" ");

// u2u_hf/data/dataset.py: columns of a prepared dataset beside `audio`, and their types.
export const DATASET_COLUMNS = {
  text: "string",
  raw_text: "string",
  speaker: "string",
  recording: "string",
  tier: "string",
  channel: "int32",
  start_ms: "int64",
  end_ms: "int64",
  duration: "float64",
};
