// One track of a recording, decoded: its samples at their true times.
import { AudioSampleSink, EncodedPacketSink } from "./vendor/mediabunny/mediabunny.min.mjs";

const LEAD_S = 0.5; // decoders that compress with loss need some packets before their first correct sample
const EXACT = /^pcm|^flac|^[au]law/;

/**
 * Open a track.
 * @param track of mediabunny, that the browser can decode
 * @returns {Promise<{rate: number, channels: number, end: number,
 *   samples: (from: number, to: number) => AsyncGenerator<AudioSample>} | null>} as decoded, which headers may tell
 *   otherwise; `end` is the track's last time, and `samples` yields what lies between two times, all in seconds, and
 *   some more on both sides: close them; null: it has no samples
 */
export async function openTrack(track) {
  const codec = await track.getCodec();
  const sink = new AudioSampleSink(track);
  const packets = new EncodedPacketSink(track);
  const format = await decodedFormat(sink);
  if (!format) return null;
  const first = await packets.getFirstPacket();
  const inMatroska = /matroska|webm/i.test((await track.input.getFormat()).name);
  const preSkip = codec === "opus" ? await preSkipOf(track) : 0;

  async function* samples(from, to) {
    const start = EXACT.test(codec) ? null : ((await packets.getKeyPacket(from - LEAD_S)) ?? first);
    const late = start ? await lateBy(start) : 0;
    for await (const sample of sink.samples(start?.timestamp ?? from, to)) {
      sample.setTimestamp(sample.timestamp + late);
      yield sample;
    }
  }

  /** Return the seconds between the time of a packet and the first sample that comes out, if decoding begins there. */
  async function lateBy(start) {
    if (inMatroska || (start.sequenceNumber === first.sequenceNumber && start.timestamp >= 0)) return 0;
    if (codec !== "vorbis") return preSkip; // Opus skips them wherever decoding begins
    const next = await packets.getNextPacket(start); // packets of Vorbis overlap: the first one gives no sample
    return next ? next.timestamp - start.timestamp : 0;
  }

  return { ...format, end: await track.computeDuration(), samples };
}

async function decodedFormat(sink) {
  for await (const sample of sink.samples()) {
    sample.close();
    return { rate: sample.sampleRate, channels: sample.numberOfChannels };
  }
  return null;
}

/** Return the seconds that a decoder of Opus skips. */
async function preSkipOf(track) {
  const { description } = await track.getDecoderConfig();
  if (!description) return 0;
  const bytes = ArrayBuffer.isView(description) ? description : new Uint8Array(description);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint16(10, true) / 48_000; // RFC 7845, section 5.1
}
