// Frame arithmetic of the encoder; u2u_hf/frames.py says why.
const STRIDE = 320;
const LEAD = 40;
export const RECEPTIVE_FIELD = 400;

/** Where the stretch that a frame stands for begins, in whole ms, rounded down. */
export const frameStartMs = (frame) => Math.floor((frame * STRIDE + LEAD) / 16);

/** Where it ends: the start of the next one's. */
export const frameEndMs = (frame) => frameStartMs(frame + 1);
