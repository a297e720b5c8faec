// The style of the editor. Colours are read at 4.5 to 1 or better on the page's ground, light and dark.
export const STYLE = `
:host {
  --line: light-dark(#0003, #fff4);
  --soft: light-dark(#0000000d, #ffffff14);
  --accent: light-dark(#1b5fc9, #7db3f0);
  --wave: light-dark(#3c4a5e, #b9c6d8);
  --cursor: light-dark(#b3261e, #ff8a80);
  --bad: light-dark(#b3261e, #ff8a80);
  --good: light-dark(#0f6b38, #6fd39b);
  --lit: light-dark(#ffd54a, #7a5c00);
  display: block;
  color: CanvasText;
  font: 16px / 1.5 system-ui, sans-serif;
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 1px; }
button, select, input, textarea { font: inherit; color: inherit; }
button, select, .fields input {
  min-height: 2.25rem;
  padding: 0.2rem 0.6rem;
  background: var(--soft);
  border: 1px solid var(--line);
  border-radius: 0.35rem;
}
select option { color: CanvasText; background: Canvas; }
button { cursor: pointer; }
button:hover:not(:disabled) { border-color: var(--accent); }
button:disabled { color: light-dark(#6b6b6b, #a0a0a0); cursor: default; }
button[aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
button.primary { color: light-dark(#fff, #00142e); background: var(--accent); border-color: transparent; }
button.primary:disabled { color: light-dark(#6b6b6b, #a0a0a0); background: var(--soft); }
.wave {
  background: var(--soft);
  border-radius: 0.35rem;
  overflow: hidden;
  min-height: 64px;
}
.wave ::part(region) {
  background: light-dark(#1b5fc926, #7db3f026) !important;
  border-inline: 1px solid var(--accent);
}
.wave ::part(checked) {
  background: light-dark(#0f6b3826, #6fd39b26) !important;
  border-color: var(--good);
}
.wave ::part(chosen) {
  background: light-dark(#1b5fc952, #7db3f052) !important;
  outline: 2px solid var(--accent);
  outline-offset: -2px;
}
.wave ::part(region-handle) { width: 9px !important; border: 0 !important; }
.bar, .fields { display: flex; flex-wrap: wrap; gap: 0.4rem; align-items: center; margin-top: 0.5rem; }
.bar .clock { font-variant-numeric: tabular-nums; min-width: 5.5rem; }
.bar .gap { flex: 1; }
.fields label { display: flex; gap: 0.3rem; align-items: center; }
.fields input { width: 6.6rem; font-variant-numeric: tabular-nums; }
.fields input[aria-invalid="true"] { border-color: var(--bad); }
.say { margin: 0.4rem 0 0; min-height: 1.5em; color: light-dark(#4a4a4a, #c4c4c4); overflow-wrap: anywhere; }
.say.wrong { color: var(--bad); }
.list {
  position: relative;
  max-height: min(60vh, 36rem);
  overflow-y: auto;
  overscroll-behavior: contain;
  border-block: 1px solid var(--line);
}
.space { position: relative; }
.row {
  position: absolute;
  inset: 0 0 auto 0;
  display: grid;
  grid-template-columns: calc(var(--time) + 1.9rem) 1.6rem minmax(0, 1fr) 7.4rem;
  gap: 0.4rem;
  align-items: start;
  padding: 4px;
  border-bottom: 1px solid var(--line);
  border-left: 4px solid transparent;
}
.row.unsure { border-left-color: var(--bad); }
.row.checked { border-left-color: var(--good); }
.row.chosen { background: var(--soft); }
.row button { padding: 0.2rem 0.3rem; font-variant-numeric: tabular-nums; }
.row .play { white-space: nowrap; }
.row .play::before { content: "▶ "; font-size: 0.7em; }
.row .check { white-space: nowrap; background: none; }
.row.unsure .check { color: var(--bad); font-weight: 600; }
.row.checked .check { color: var(--good); font-weight: 600; }
.channel { padding-top: 0.35rem; text-align: center; }
.text { display: grid; min-width: 0; }
.mirror, .text textarea {
  grid-area: 1 / 1;
  margin: 0;
  padding: 0.3rem 0.4rem;
  border: 1px solid transparent;
  border-radius: 0.35rem;
  white-space: pre-wrap;
  overflow-wrap: anywhere;
  line-height: 1.5;
  letter-spacing: normal;
}
.mirror { color: transparent; }
.mirror .unsure { text-decoration: underline wavy var(--bad) 1px; text-underline-offset: 0.25em; }
.mirror .lit { background: var(--lit); border-radius: 0.2rem; }
.text textarea { width: 100%; height: 100%; overflow: hidden; resize: none; background: none; }
.text textarea:hover, .text textarea:focus { border-color: var(--line); }
dialog {
  color: CanvasText;
  background: Canvas;
  border: 1px solid var(--line);
  border-radius: 0.5rem;
  max-width: min(36rem, 94vw);
  padding: 1rem;
}
dialog .title { margin: 0 0 0.5rem; font-size: 1.1rem; font-weight: 600; }
dialog dl { display: grid; grid-template-columns: auto 1fr; gap: 0.2rem 1rem; margin: 0 0 0.75rem; }
dialog dd { margin: 0; }
kbd { font: inherit; white-space: nowrap; padding: 0 0.35rem; border: 1px solid var(--line); border-radius: 0.25rem; }
dialog::backdrop { background: #0008; }
@media (max-width: 40rem) {
  .row { grid-template-columns: calc(var(--time) + 1.4rem) 1.2rem minmax(0, 1fr); }
  .row .check { grid-column: 3; justify-self: start; min-height: 1.9rem; }
  .row .play { padding: 0.2rem 0; }
  .bar, .fields { gap: 0.25rem; }
  .bar button, .bar select, .fields button, .fields select, .fields input { padding: 0.2rem 0.35rem; }
  .bar .clock, .fields .channels span { position: absolute; width: 1px; overflow: hidden; clip-path: inset(50%); }
  .fields input { width: 5.6rem; }
  select { max-width: 4.2rem; }
}
`;
