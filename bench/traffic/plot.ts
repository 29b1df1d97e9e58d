/** The eavesdropper's plot: one answer as it crosses the line, unshaped and shaped. Legible on light and on dark. */
import type { Conversation, Piece } from './corpus.ts';
import type { Seen } from './world.ts';

const WIDTH = 860;
const LEFT = 12;
const RIGHT = 848;
const PANEL = 118;
const UP_ROOM = 30;
const SECONDS = 18;
/** Records to the person rise from the line, by what they have beyond this; uploads hang below it. */
const LEAST_BYTES = 200;
const PIXELS_PER_BYTE = 1.05;
const UP_BYTES_PER_PIXEL = 170;

const x = (atMs: number): number => round(LEFT + ((RIGHT - LEFT) * Math.max(0, atMs)) / (SECONDS * 1000));
const round = (value: number): number => Math.round(value * 10) / 10;

function bars(seen: readonly Seen[], base: number): string {
  const visible = seen.filter(({ atMs }) => atMs >= 0 && atMs <= SECONDS * 1000);
  const draw = (isUp: boolean): string =>
    visible
      .filter((record) => record.isUp === isUp)
      .map(({ atMs, bytes }) => {
        const height = isUp
          ? Math.max(4, bytes / UP_BYTES_PER_PIXEL)
          : -Math.min(80, Math.max(2, (bytes - LEAST_BYTES) * PIXELS_PER_BYTE));
        return `M${x(atMs)} ${base}v${round(height)}`;
      })
      .join('');
  return `<path class="down" d="${draw(false)}"/><path class="up" d="${draw(true)}"/>`;
}

function panel(title: string, note: string, seen: readonly Seen[], top: number): string {
  const base = top + PANEL;
  return [
    `<text class="title" x="${LEFT}" y="${top + 14}">${title}</text>`,
    `<text class="note" x="${LEFT}" y="${top + 31}">${note}</text>`,
    `<path class="axis" d="M${LEFT} ${base}H${RIGHT}"/>`,
    bars(seen, base),
  ].join('\n');
}

/** The longest silence of the answer, where a tool runs. */
function longestPause(seen: readonly Seen[]): { fromMs: number; toMs: number } {
  const times = seen.filter(({ isUp }) => !isUp).map(({ atMs }) => atMs);
  let widest = { fromMs: 0, toMs: 0 };
  for (const [index, toMs] of times.entries()) {
    const fromMs = times[index - 1] ?? toMs;
    if (toMs - fromMs > widest.toMs - widest.fromMs) widest = { fromMs, toMs };
  }
  return widest;
}

/** @param before the answer unshaped; @param after the same one as `balanced` does; times from the request on */
export function drawPlot(before: readonly Seen[], after: readonly Seen[]): string {
  const [first, second] = [8, 8 + PANEL + UP_ROOM + 34];
  const bottom = second + PANEL + UP_ROOM;
  const words = before.filter(({ isUp }) => !isUp).length - 1;
  const pause = longestPause(before);
  const middle = (x(pause.fromMs) + x(pause.toMs)) / 2;
  const records = after.filter(({ isUp, atMs }) => !isUp && atMs <= SECONDS * 1000).length;
  const seconds = [0, 2, 4, 6, 8, 10, 12, 14, 16, 18];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 28}" role="img" aria-labelledby="title">
<title id="title">One answer as an eavesdropper sees it: unshaped, its rhythm, pause and end show; shaped, nothing does for sixteen seconds.</title>
<style>
text{font-family:ui-sans-serif,system-ui,"Segoe UI",Helvetica,Arial,sans-serif;fill:#57606a}
.title{font-size:14px;font-weight:600;fill:#1f2328}.note{font-size:12px}.small{font-size:11px}
.down{stroke:#0969da;stroke-width:1.1;fill:none}.up{stroke:#bc4c00;stroke-width:2.4;fill:none}.axis{stroke:#8c959f;stroke-width:1}
@media (prefers-color-scheme:dark){text{fill:#9198a1}.title{fill:#f0f6fc}.down{stroke:#58a6ff}.up{stroke:#f0883e}.axis{stroke:#6e7681}}
</style>
${panel('Unshaped: one record a token', `${words} tokens can be counted and measured; so can the time to think, the tool and the end.`, before, first)}
<text class="small" x="${round(middle)}" y="${first + PANEL - 10}" text-anchor="middle">a tool runs</text>
${panel('The same answer from Sotto, profile balanced', `${records} equal records, one each 50 ms, whatever is said; the request padded, an equal record back each half second.`, after, second)}
${seconds.map((second) => `<text class="small" x="${x(second * 1000)}" y="${bottom + 10}" text-anchor="${second === 0 ? 'start' : second === SECONDS ? 'end' : 'middle'}">${second} s</text>`).join('')}
<text class="small" x="${LEFT}" y="${bottom + 25}">Rising: records to the person, as high as they are longer than 200 bytes. Hanging: records from the person. Measured by npm run bench:traffic.</text>
</svg>
`;
}

/** An answer that has everything to show: a time to think, a tool, an end well before sixteen seconds. */
export function isTelling({ usesTool, pieces }: Conversation): boolean {
  const isMiddling = usesTool && pieces.length > 200 && pieces.length < 320;
  return isMiddling && pieces.some(({ atMs }, i) => i > 0 && atMs - (pieces[i - 1] as Piece).atMs > 1500);
}
