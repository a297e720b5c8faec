// Frame arithmetic of the encoder, as in u2u_hf/frames.py.
import { FRAME_STRIDE, RECEPTIVE_FIELD, SAMPLING_RATE } from "./constants.js";

const SAMPLES_PER_MS = SAMPLING_RATE / 1000;
const LEAD = (RECEPTIVE_FIELD - FRAME_STRIDE) / 2;

/** Return where a frame begins, in whole ms, rounded down. */
export const frameStartMs = (frame) => Math.floor((frame * FRAME_STRIDE + LEAD) / SAMPLES_PER_MS);

/** Return where a frame ends: the start of the next frame. */
export const frameEndMs = (frame) => frameStartMs(frame + 1);

/** Return how much later the frames of this receptive field lie than those of the convolutions, in ms. */
export const delayMs = (receptiveField) => Math.floor((receptiveField - RECEPTIVE_FIELD) / 2 / SAMPLES_PER_MS);
