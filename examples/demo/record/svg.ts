import type { LineVersion, Span } from './screen.js';

const CHARACTER = 8.4;
const LINE = 21;
const MARGIN = 18;
const WIDTH = 640;
/** How long the last picture stays, in seconds, before it begins again. */
const REST = 4;

/** Presentation of a style of the terminal, by its code. */
const STYLES: Record<number, string> = {
  1: 'font-weight="bold"',
  2: 'fill="#8b988e"',
  31: 'fill="#ff8a80"',
  32: 'fill="#7ddc9a" font-weight="bold"',
  35: 'fill="#e5acdc"',
  36: 'fill="#82d6cc"',
};

/** An SVG that plays what the lines showed, over and over. Where it isn't played, it shows the end. */
export function animate(lines: LineVersion[][]): string {
  const end = Math.max(...lines.flat().map(({ from }) => from)) + REST;
  const last = lines.findLastIndex((versions) => versions.length > 0);
  const height = (last + 1) * LINE + 2 * MARGIN;
  const rows = lines.flatMap((versions, row) =>
    versions.map((version, index) => {
      const y = MARGIN + (row + 0.7) * LINE;
      return `<g${index < versions.length - 1 ? ' opacity="0"' : ''}>${shown(version.from, versions[index + 1]?.from ?? end, end)}${version.spans.map((span) => textOf(span, y)).join('')}</g>`;
    }),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Recording of pnpm demo">
<rect width="100%" height="100%" rx="10" fill="#18201b"/>
<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14" fill="#e8eee8">
${rows.join('\n')}
</g>
</svg>
`;
}

/** Visible from one point in time to another, in every round. */
function shown(from: number, to: number, end: number): string {
  const times = [0, from / end, to / end].map((time) => Number(time.toFixed(4)));
  return `<animate attributeName="opacity" dur="${end.toFixed(2)}s" repeatCount="indefinite" calcMode="discrete" values="0;1;0" keyTimes="${times.join(';')}"/>`;
}

/** Each span at its own column, so that a font with odd arrows does not move what follows. */
function textOf({ column, text, style }: Span, y: number): string {
  const indent = text.length - text.trimStart().length;
  const x = MARGIN + (column + indent) * CHARACTER;
  const escaped = text.trim().replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${STYLES[style] ?? ''}>${escaped}</text>`;
}
