// Records from the microphone, without noise suppression or automatic gain.

const SETTINGS = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const LOSSLESS = "audio/webm;codecs=pcm";

/**
 * Start recording.
 * @returns {Promise<() => Promise<File>>} call it to stop; it returns the recording
 * @throws {DOMException} there is no microphone, or the visitor does not allow it
 */
export async function startRecording() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: SETTINGS });
  const recorder = new MediaRecorder(stream, MediaRecorder.isTypeSupported(LOSSLESS) ? { mimeType: LOSSLESS } : {});
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  // Unplugging the microphone stops the recorder, too.
  const stopped = new Promise((resolve) => {
    recorder.onstop = resolve;
  });
  recorder.start(1000);
  return async () => {
    if (recorder.state !== "inactive") recorder.stop();
    await stopped;
    for (const track of stream.getTracks()) track.stop();
    return file(new Blob(parts, { type: recorder.mimeType }));
  };
}

/** Return the recording as WAV; as the browser recorded it, if it is too long to be converted in memory. */
async function file(recorded) {
  const name = new Date().toISOString().slice(0, 19).replaceAll(":", ".").replace("T", " ");
  try {
    return new File([await inWav(recorded)], `${name}.wav`, { type: "audio/wav" });
  } catch {
    const [type] = recorded.type.split(";");
    return new File([recorded], `${name}.${type.split("/")[1]}`, { type });
  }
}

async function inWav(recorded) {
  const { ALL_FORMATS, BlobSource, BufferTarget, Conversion, Input, Output, WavOutputFormat } =
    await import("./vendor/mediabunny/mediabunny.min.mjs");
  const input = new Input({ source: new BlobSource(recorded), formats: ALL_FORMATS });
  const output = new Output({ format: new WavOutputFormat(), target: new BufferTarget() });
  await (await Conversion.init({ input, output })).execute();
  return output.target.buffer;
}
