// Writes parquet files that `datasets` reads, with the features of u2u_hf/data/dataset.py.
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { DATASET_COLUMNS, SAMPLING_RATE } from "./constants.js";

const SHARD_BYTES = 100e6; // a shard is held in memory as a whole
const GROUP_ROWS = 100;
const STORED = {
  string: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  int32: { type: "INT32" },
  int64: { type: "INT64" },
  float64: { type: "DOUBLE" },
};
const values = Object.entries(DATASET_COLUMNS);
const repetition_type = "OPTIONAL";
const SCHEMA = [
  { name: "schema", num_children: 1 + values.length },
  { name: "audio", repetition_type, num_children: 2 },
  { name: "bytes", repetition_type, type: "BYTE_ARRAY" },
  { name: "path", repetition_type, ...STORED.string },
  ...values.map(([name, type]) => ({ name, repetition_type, ...STORED[type] })),
];
const FEATURES = {
  audio: { sampling_rate: SAMPLING_RATE, _type: "Audio" },
  ...Object.fromEntries(values.map(([name, dtype]) => [name, { dtype, _type: "Value" }])),
};

/**
 * Yield parquet files of about 100 MB.
 * @param {AsyncIterable<object>} rows with the dataset's columns; `audio` is {bytes: Uint8Array, path: string}
 * @returns {AsyncGenerator<Blob>}
 */
export async function* parquetFiles(rows) {
  let file = null;
  for await (const group of groupsOf(GROUP_ROWS, rows)) {
    file ??= start();
    file.write({ columnData: columns(group), rowGroupSize: group.length });
    if (file.writer.offset < SHARD_BYTES) continue;
    yield finish(file);
    file = null;
  }
  if (file) yield finish(file);
}

function start() {
  const kvMetadata = [{ key: "huggingface", value: JSON.stringify({ info: { features: FEATURES } }) }];
  return new ParquetWriter({ writer: new ByteWriter(), schema: SCHEMA, codec: "UNCOMPRESSED", kvMetadata });
}

function finish(file) {
  file.finish();
  return new Blob([file.writer.getBytes()]);
}

function columns(rows) {
  const stored = (type) => (type === "int64" ? BigInt : (value) => value);
  return [
    { name: "audio", data: rows.map((row) => row.audio), encoding: "PLAIN", statistics: false },
    ...values.map(([name, type]) => ({ name, data: rows.map((row) => stored(type)(row[name])) })),
  ];
}

async function* groupsOf(size, rows) {
  let group = [];
  for await (const row of rows) {
    group.push(row);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length) yield group;
}
