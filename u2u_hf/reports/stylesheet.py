"""The style sheet of the HTML reports: light or dark as the reader's system is; tables become lists on a phone."""

STYLE = """
:root {
  color-scheme: light dark;
  --page: #fbfaf7; --card: #ffffff; --ink: #22262b; --soft: #636a73; --line: #e3e1da;
  --kept: #3273b8; --out: #d97b29; --far: #b3261e; --note: #eef1f5; --odd: #fdf0d5;
  --green: #3f8a52; --violet: #8d62a8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171a; --card: #1d2024; --ink: #e4e6e9; --soft: #9aa2ac; --line: #33383f;
    --kept: #6aa7e6; --out: #e79a52; --far: #ff8a80; --note: #2a2f36; --odd: #42361c;
    --green: #74c38a; --violet: #c29be0;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 72rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: break-word;
}
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .25rem 0 .75rem; max-width: 46rem; }
a { color: var(--kept); }
nav { margin: .75rem 0; display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; }
.soft { color: var(--soft); }
.problem { border-left: 4px solid var(--far); background: var(--card); padding: .6rem .9rem; max-width: none; }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.numbers div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .8rem; }
.numbers b { display: block; font-size: 1.45rem; line-height: 1.25; font-weight: 600; }
.numbers span { color: var(--soft); font-size: .875rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .75rem; }
.alone { max-width: 40rem; }
.table { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .8rem; vertical-align: bottom; }
th, td { padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:has(:target) td { background: var(--odd); }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.time, .code { font-variant-numeric: tabular-nums; white-space: nowrap; }
.glyph { font-size: 1.3rem; line-height: 1.2; }
.wide { width: 14%; min-width: 6rem; }
.wide:nth-child(2) { width: 60%; }
.wide:nth-child(2):nth-last-child(n+4) { width: 32%; }
.quote { display: block; }
.where { display: block; color: var(--soft); font-size: .8rem; }
.mark { display: inline-block; background: var(--note); border-radius: 4px; }
.mark { padding: 0 .4rem; margin: 0 .25rem .2rem 0; }
.odd { background: var(--odd); }
.yes { color: var(--kept); font-weight: 600; }
.key::before { content: ""; display: inline-block; width: .7rem; height: .7rem; }
.key::before { border-radius: 2px; margin-right: .35rem; }
.key { margin-right: 1rem; font-size: .875rem; color: var(--soft); }
.key.kept::before { background: var(--kept); }
.key.out::before { background: var(--out); }
.key.line-1::before { background: var(--kept); }
.key.line-2::before { background: var(--out); }
.key.line-3::before { background: var(--green); }
.key.line-4::before { background: var(--violet); }
.key.line-5::before { background: var(--far); }
.key.far::before { border: 2px solid var(--far); border-radius: 50%; }
.command { display: block; background: var(--note); border-radius: 6px; padding: .6rem .9rem; overflow-wrap: anywhere; }
.side { display: flex; flex-wrap: wrap; gap: .5rem .7rem; max-width: 60rem; }
.side > span { display: inline-flex; flex-direction: column; }
.side > span > span { min-height: 1.5em; }
.wrong { background: var(--odd); border-radius: 3px; box-shadow: 0 0 0 1px var(--odd); }
.said { color: var(--soft); }
:not(.said) > .wrong { color: var(--far); }
audio { display: block; width: 100%; max-width: 22rem; height: 2rem; margin: .3rem 0; }
summary { cursor: pointer; color: var(--kept); padding: .4rem 0; }
svg.plot { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--soft); font-family: inherit; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .axis { stroke: var(--soft); stroke-width: 1; }
svg .kept { fill: var(--kept); }
svg .out { fill: var(--out); }
svg .far { fill: transparent; stroke: var(--far); stroke-width: 1.5; }
svg .line-1 { fill: var(--kept); stroke: var(--kept); }
svg .line-2 { fill: var(--out); stroke: var(--out); }
svg .line-3 { fill: var(--green); stroke: var(--green); }
svg .line-4 { fill: var(--violet); stroke: var(--violet); }
svg .line-5 { fill: var(--far); stroke: var(--far); }
svg polyline { stroke-width: 1.8; }
svg polyline:is(.line-1, .line-2, .line-3, .line-4, .line-5) { fill: none; }
svg .interval { stroke: var(--ink); stroke-width: 2; }
svg.bar { display: block; width: 100%; height: .7rem; margin-top: .4rem; }
@media (max-width: 44rem) {
  thead { display: none; }
  tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  td { display: flex; gap: .6rem; border: 0; padding: .1rem 0; text-align: left; white-space: normal; }
  td:empty { display: none; }
  td::before { content: attr(data-label); flex: 0 0 6.5rem; color: var(--soft); font-size: .8rem;
    padding-top: .1rem; white-space: normal; }
  td > * { min-width: 0; }
  td, td > * { overflow-wrap: anywhere; }
  td.n { text-align: left; }
  td.wide, td.wide:nth-child(2), td.wide:nth-child(2):nth-last-child(n+4) { width: auto; }
}
@media print { details { display: block; } body { max-width: none; } }
"""
