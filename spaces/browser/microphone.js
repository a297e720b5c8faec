// The microphone → a WAV file, as it hears: nothing is taken out or made louder.

const SETTINGS = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const LOSSLESS = "audio/webm;codecs=pcm";

/**
 * @returns {Promise<() => Promise<File>>} what ends the recording and gives it
 * @throws {DOMException} there is none, or the visitor does not allow it
 */
export async function startRecording() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: SETTINGS });
  const recorder = new MediaRecorder(stream, MediaRecorder.isTypeSupported(LOSSLESS) ? { mimeType: LOSSLESS } : {});
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  // A microphone that is unplugged ends it, too.
  const stopped = new Promise((resolve) => {
    recorder.onstop = resolve;
  });
  recorder.start(1000);
  return async () => {
    if (recorder.state !== "inactive") recorder.stop();
    await stopped;
    for (const track of stream.getTracks()) track.stop();
    return wavFile(new Blob(parts));
  };
}

async function wavFile(recorded) {
  const { ALL_FORMATS, BlobSource, BufferTarget, Conversion, Input, Output, WavOutputFormat } =
    await import("./vendor/mediabunny/mediabunny.min.mjs");
  const input = new Input({ source: new BlobSource(recorded), formats: ALL_FORMATS });
  const output = new Output({ format: new WavOutputFormat(), target: new BufferTarget() });
  await (await Conversion.init({ input, output })).execute();
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", ".").replace("T", " ");
  return new File([output.target.buffer], `${time}.wav`, { type: "audio/wav" });
}
