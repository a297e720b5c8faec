// What the headers of WAV, Ogg and MP3 files do not tell, or tell wrongly, as in u2u_hf/data/headers.py.

// Integers, floating point, A-law, mu-law, any of them: what has a fixed number of bytes a sample.
const CODES = [1, 3, 6, 7, 0xfffe];
const MAX_FORMAT_BYTES = 1024;
const CHUNK_NAME = /^[A-Za-z0-9 _-]{4}$/;
const UNKNOWN = 0xffff_ffff;
const MAX_WAV_BYTES = UNKNOWN - 2 * MAX_FORMAT_BYTES;
const WINDOW_BYTES = 2 ** 20;
const OGG_HEADER_BYTES = 27;
const DECODER_DELAY = 529; // samples that every MP3 decoder adds, which the tag does not count

const ascii = (bytes, from, to) => String.fromCharCode(...bytes.subarray(from, to));
const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const read = async (file, at, length) => new Uint8Array(await file.slice(at, at + length).arrayBuffer());

/**
 * Return a file that tells its true length: a WAV file with another header, because those of recorders that stopped
 * early, of pipes and of files above 4 GB are wrong; an Ogg file up to its last whole page. Others as they are.
 * @param {Blob} file
 * @returns {Promise<Blob>} its samples are not copied
 */
export async function withTrueLength(file) {
  const samples = await wavSamples(file);
  if (!samples) {
    const cutAt = await cutPage(file);
    return cutAt ? file.slice(0, cutAt, file.type) : file;
  }
  const { format, offset, frames, block } = samples;
  const parts = [wavHeader(format, frames * block, frames), file.slice(offset, offset + frames * block)];
  return new Blob(parts, { type: file.type });
}

/**
 * Return where a WAV file's samples are: until its file's end, unless a row of chunks, or nothing, follows them.
 * @param {Blob} file
 * @returns {Promise<{format: Uint8Array, offset: number, frames: number, block: number} | null>} the chunk `fmt `, the
 *   first sample's byte, samples per channel, bytes of one sample of all channels; null: not WAV, or not such a coding
 */
export async function wavSamples(file) {
  const riff = await read(file, 0, 12);
  if (ascii(riff, 0, 4) !== "RIFF" || ascii(riff, 8, 12) !== "WAVE") return null;
  let format = null;
  for await (const { name, length, begin } of chunks(file, 12)) {
    if (!CHUNK_NAME.test(name)) return null;
    if (name === "fmt ") {
      format = await read(file, begin, Math.min(length, MAX_FORMAT_BYTES));
      if (format.length < 16 || !CODES.includes(viewOf(format).getUint16(0, true))) return null;
    } else if (name === "data") {
      const block = format && viewOf(format).getUint16(12, true);
      if (!block) return null;
      const told = begin + length < file.size && (await areChunks(file, begin + length));
      const end = told ? begin + length : file.size;
      return { format, offset: begin, frames: Math.floor((end - begin) / block), block };
    }
  }
  return null;
}

/** Yield the chunks of a RIFF file from byte `at`. */
async function* chunks(file, at) {
  for (;;) {
    const head = await read(file, at, 8);
    if (head.length < 8) return;
    const length = viewOf(head).getUint32(4, true);
    yield { name: ascii(head, 0, 4), length, begin: at + 8 };
    at += 8 + length + (length % 2);
  }
}

/** Return whether only whole chunks lie between byte `at` and the file's end, but for a few bytes of padding. */
async function areChunks(file, at) {
  for await (const { name, length, begin } of chunks(file, at + (at % 2))) {
    if (!CHUNK_NAME.test(name) || begin + length > file.size) return false;
  }
  return true;
}

/** Return the header of a WAV file up to its first sample; above 4 GB, of one in the format RF64. */
function wavHeader(format, bytes, frames) {
  const long = bytes > MAX_WAV_BYTES;
  const ds64 = long ? 36 : 0; // the chunk's length
  const header = new Uint8Array(12 + ds64 + 8 + format.length + (format.length % 2) + 8);
  const view = viewOf(header);
  const text = (at, value) => header.set(new TextEncoder().encode(value), at);
  const riffBytes = header.length - 8 + bytes;
  text(0, long ? "RF64" : "RIFF");
  view.setUint32(4, long ? UNKNOWN : riffBytes, true);
  text(8, "WAVE");
  if (long) {
    text(12, "ds64");
    view.setUint32(16, ds64 - 8, true);
    [riffBytes, bytes, frames].forEach((value, i) => view.setBigUint64(20 + 8 * i, BigInt(value), true));
  }
  text(12 + ds64, "fmt ");
  view.setUint32(16 + ds64, format.length, true);
  header.set(format, 20 + ds64);
  text(header.length - 8, "data");
  view.setUint32(header.length - 4, long ? UNKNOWN : bytes, true);
  return header;
}

/**
 * Return whether an Ogg file is several that were joined: a stream begins after others have gone on.
 * @param {Blob} file
 */
export async function isChained(file) {
  let begun = false;
  for await (const { flags } of oggPages(file)) {
    const begins = Boolean(flags & 2);
    if (begins && begun) return true;
    begun ||= !begins;
  }
  return false;
}

/** Return the byte where the last page of an Ogg file begins, if the file ends before that page does; else 0. */
async function cutPage(file) {
  let cutAt = 0;
  for await (const { begin, end } of oggPages(file)) if (end > file.size) cutAt = begin;
  return cutAt;
}

/** Yield the flags of each page of an Ogg file, and its first byte and the byte after it. */
async function* oggPages(file) {
  let [window, from] = [new Uint8Array(0), 0];
  for (let at = 0; ; ) {
    if (at + OGG_HEADER_BYTES + 255 > from + window.length) [window, from] = [await read(file, at, WINDOW_BYTES), at];
    const page = window.subarray(at - from);
    if (page.length < OGG_HEADER_BYTES || ascii(page, 0, 4) !== "OggS") return;
    const lengths = page.subarray(OGG_HEADER_BYTES, OGG_HEADER_BYTES + page[26]);
    const end = at + OGG_HEADER_BYTES + lengths.length + lengths.reduce((a, b) => a + b, 0);
    yield { flags: page[5], begin: at, end };
    at = end;
  }
}

/**
 * Return the samples that an MP3 encoder added, as its tag in the first frame tells.
 * @param {Blob} file
 * @returns {Promise<{delay: number, padding: number, frames: number}>} samples to skip at the beginning and at the end,
 *   and the samples of all frames together; all 0 without such a tag
 */
export async function mp3Padding(file) {
  const none = { delay: 0, padding: 0, frames: 0 };
  const frame = await read(file, await id3Bytes(file), 256);
  if (frame.length < 256 || frame[0] !== 0xff || frame[1] < 0xe0) return none;
  const mpeg1 = (frame[1] & 0x18) === 0x18;
  const mono = frame[3] >> 6 === 3;
  const tag = 4 + (mpeg1 ? (mono ? 17 : 32) : mono ? 9 : 17);
  const flags = frame[tag + 7];
  if (!["Xing", "Info"].includes(ascii(frame, tag, tag + 4)) || !(flags & 1)) return none;
  const encoder = tag + 12 + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0);
  if (!["LAME", "Lavc", "Lavf"].includes(ascii(frame, encoder, encoder + 4))) return none;
  const added = viewOf(frame).getUint32(encoder + 20) & 0xff_ffff; // two numbers of 12 bits
  return {
    delay: (added >> 12) + DECODER_DELAY,
    padding: Math.max(0, (added & 0xfff) - DECODER_DELAY),
    frames: viewOf(frame).getUint32(tag + 8) * (mpeg1 ? 1152 : 576),
  };
}

/** Return the length of the ID3 tag before the sound, in bytes. */
async function id3Bytes(file) {
  const head = await read(file, 0, 10);
  if (ascii(head, 0, 3) !== "ID3") return 0;
  const [a, b, c, d] = head.subarray(6); // 7 bits each
  return 10 + ((a << 21) | (b << 14) | (c << 7) | d) + (head[5] & 0x10 ? 10 : 0);
}
