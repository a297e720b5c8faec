// Times as people read and write them.

/** Return a time as minutes and seconds, with hours if there are any: 62,345 ms → 1:02.345 (or 1:02.3). */
export function clock(ms, digits = 3) {
  const [h, m] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60];
  const tick = 10 ** (3 - digits);
  const seconds = ((Math.floor(ms / tick) * tick) % 60_000) / 1000;
  const rest = seconds.toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return h ? `${h}:${String(m).padStart(2, "0")}:${rest}` : `${m}:${rest}`;
}

const CLOCK = /^(?:(?:(\d+):)?(\d{1,3}):)?(\d+(?:[.,]\d*)?)$/;

/** Return the whole ms of a time that a person wrote, such as 1:02.345 or 62,345; null if it is none. */
export function parseClock(text) {
  const found = CLOCK.exec(text.trim());
  if (!found) return null;
  const [h, m, s] = found.slice(1).map((part) => Number((part ?? "0").replace(",", ".")));
  return Math.round((h * 3600 + m * 60 + s) * 1000);
}
