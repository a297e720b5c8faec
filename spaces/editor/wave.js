// The waveform of each channel, with the segments on it.
import { clock } from "./time.js";
import RegionsPlugin from "./vendor/regions.js";
import WaveSurfer from "./vendor/wavesurfer.js";

const LANE_PX = 64;
const ZOOMS = [5, 10, 20, 40, 80, 160, 320, 640]; // px for each second
const STEP_MS = 100; // arrow keys; with Shift a tenth

/**
 * A view of `Segments` that draws only the segments in sight, so that thousands cost no more than a few.
 *
 * Wavesurfer does not play: a media element's duration, which its cursor would follow, is an estimate for some MP3
 * files, while segments need the true time scale.
 */
export class Wave {
  /**
   * @param {HTMLElement} element empty
   * @param segments `Segments`
   * @param {{seek: (ms: number) => void, choose: (id: number) => void, move: (id: number, from: number, to: number)
   *   => void, insert: (channel: number, ms: number) => void}} on what a person does with it; times in ms
   */
  constructor(element, segments, on) {
    Object.assign(this, { element, segments, on });
    this.regions = new Map(); // id → {region, segment as drawn}
    this.zoom = 4;
    this.cursorMs = 0;
    this.plugin = RegionsPlugin.create();
    this.surfer = WaveSurfer.create({
      container: element,
      height: LANE_PX,
      minPxPerSec: ZOOMS[this.zoom],
      splitChannels: Array.from({ length: segments.channels }, () => ({})),
      cursorWidth: 2,
      dragToSeek: false,
      autoCenter: false,
      plugins: [this.plugin],
      ...this.colours(),
    });
    this.surfer.on("interaction", (seconds) => on.seek(Math.round(seconds * 1000)));
    this.surfer.on("dblclick", (x, y) => on.insert(...this.placeOf(x, y)));
    for (const event of ["scroll", "redraw", "ready", "resize"]) this.surfer.on(event, () => this.draw());
    this.plugin.on("region-clicked", (region) => on.choose(Number(region.id)));
    this.plugin.on("region-double-clicked", (_, event) => event.stopPropagation());
    this.setPeaks(Array.from({ length: segments.channels }, () => [0, 0])); // until the true ones come
    // What scrolls also has the focus: arrow keys move the cursor, and the waveform with it.
    this.slider = this.surfer.getWrapper().parentElement;
    Object.assign(this.slider, { role: "slider", tabIndex: 0, ariaValueMin: 0, ariaValueMax: segments.durationMs });
    this.slider.onkeydown = (event) => this.keydown(event);
    this.setCursor(0);
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.recolour = () => this.surfer.setOptions(this.colours());
    this.dark.addEventListener("change", this.recolour);
  }

  destroy() {
    this.dark.removeEventListener("change", this.recolour);
    this.surfer.destroy();
  }

  /** Return colours for the canvas, which understands no CSS variables. */
  colours() {
    const probe = this.element.appendChild(document.createElement("i"));
    const colour = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const found = { waveColor: colour("wave"), progressColor: colour("wave"), cursorColor: colour("cursor") };
    probe.remove();
    return found;
  }

  /** Draw these peaks, one row of 0…1 for each channel, in place of the last ones. */
  setPeaks(peaks) {
    this.surfer.load("", peaks, this.segments.durationMs / 1000);
  }

  placeOf(x, y) {
    const channel = Math.min(this.segments.channels - 1, Math.floor(y * this.segments.channels));
    return [channel, Math.round(x * this.segments.durationMs)];
  }

  zoomBy(steps) {
    this.zoom = Math.max(0, Math.min(ZOOMS.length - 1, this.zoom + steps));
    this.surfer.zoom(ZOOMS[this.zoom]);
    this.show(this.cursorMs);
  }

  setCursor(ms) {
    this.cursorMs = ms;
    this.surfer.setTime(ms / 1000);
    this.slider.ariaValueNow = ms;
    this.slider.ariaValueText = clock(ms);
  }

  /** Scroll so that this time is in sight. */
  show(ms) {
    const [from, to] = this.sight();
    if (ms >= from && ms <= to) return;
    const share = ms / this.segments.durationMs;
    this.surfer.setScroll(share * this.surfer.getWrapper().scrollWidth - this.element.clientWidth / 3);
  }

  /** Return the first and last ms in sight. */
  sight() {
    const width = this.surfer.getWrapper().scrollWidth || 1;
    const from = (this.surfer.getScroll() / width) * this.segments.durationMs;
    return [from, from + (this.element.clientWidth / width) * this.segments.durationMs];
  }

  /** Draw the segments in sight, and as much again on both sides. */
  draw(chosen = this.chosen) {
    this.chosen = chosen;
    if (!this.surfer.getDecodedData()) return;
    const [from, to] = this.sight();
    const margin = to - from;
    const wanted = new Map();
    for (const segment of this.segments.list) {
      if (segment.start_ms > to + margin) break;
      if (segment.end_ms >= from - margin) wanted.set(segment.id, segment);
    }
    for (const [id, { region }] of this.regions) {
      if (wanted.has(id)) continue;
      if (region.updatingSide) continue; // being dragged
      region.remove();
      this.regions.delete(id);
    }
    for (const [id, segment] of wanted) this.drawOne(id, segment);
  }

  drawOne(id, segment) {
    let drawn = this.regions.get(id);
    if (drawn && drawn.segment.channel !== segment.channel) {
      drawn.region.remove();
      drawn = undefined;
    }
    const span = { start: segment.start_ms / 1000, end: segment.end_ms / 1000 };
    if (!drawn) {
      const settings = { id: String(id), channelIdx: segment.channel, drag: false, resize: !segment.pending };
      drawn = { region: this.plugin.addRegion({ ...span, ...settings, color: "transparent" }) };
      drawn.region.on("update", () => this.keepApart(id, drawn.region));
      drawn.region.on("update-end", () => this.on.move(id, drawn.region.start * 1000, drawn.region.end * 1000));
      this.regions.set(id, drawn);
    } else if (drawn.segment !== segment) {
      drawn.region.setOptions({ ...span, resize: !segment.pending });
    }
    drawn.segment = segment;
    const states = ["region", id === this.chosen && "chosen", segment.checked && "checked"].filter(Boolean);
    drawn.region.element?.setAttribute("part", states.join(" "));
  }

  /** While a border is dragged: stop it at the neighbour. */
  keepApart(id, region) {
    const segment = this.segments.get(id);
    if (!segment) return;
    const [start, end] = this.segments.clamped(segment, region.start * 1000, region.end * 1000);
    region.setOptions({ start: start / 1000, end: end / 1000 });
  }

  keydown(event) {
    const direction = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!direction || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const ms = this.cursorMs + direction * STEP_MS * (event.shiftKey ? 0.1 : 1);
    this.on.seek(Math.max(0, Math.min(this.segments.durationMs, ms)));
    this.show(this.cursorMs);
  }
}
