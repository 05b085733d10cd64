import type { Result } from './results.js';
import type { Work } from './works/work.js';

const ROW = 22;
/** As wide as a letter is at most, on average, at this size of type. */
const LETTER = 6;
const SCALE = 150;
/** Of the goal; what is more is cut off. */
const MOST = 3;
/** Behind the longest bar. */
const TOLD = 170;

/** What was measured against each goal, as bars: an SVG that is read on a light page and on a dark one. */
export function goalChart(works: readonly Work[], results: ReadonlyMap<string, Result>): string {
  const rows = works.flatMap(({ name }) =>
    (results.get(name)?.cases ?? []).flatMap((one) =>
      one.goals.map(({ text, atLeast, measured }) => ({
        label: `${name}, ${one.name}: ${text}`,
        ratio: measured.median / atLeast,
        told: `${measured.median.toPrecision(3)} (goal ${Number(atLeast.toPrecision(2))})`,
      })),
    ),
  );
  const left = LETTER * Math.max(0, ...rows.map(({ label }) => label.length)) + 16;
  const width = left + MOST * SCALE + TOLD;
  const height = (rows.length + 2) * ROW;
  const bars = rows.map(({ label, ratio, told }, index) => {
    const y = (index + 1) * ROW;
    const length = Math.min(ratio, MOST) * SCALE;
    const colour = ratio >= 1 ? '#2e9e5b' : '#d9822b';
    return [
      `<text x="${left - 8}" y="${y + 14}" text-anchor="end">${escaped(label)}</text>`,
      `<rect x="${left}" y="${y + 4}" width="${length.toFixed(1)}" height="${ROW - 9}" rx="2" fill="${colour}"/>`,
      `<text x="${(left + length + 6).toFixed(1)}" y="${y + 14}">${ratio > MOST ? '… ' : ''}${told}</text>`,
    ].join('');
  });
  const goal = left + SCALE;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="11" fill="#7a7f87">`,
    `<line x1="${goal}" x2="${goal}" y1="${ROW}" y2="${height - ROW + 6}" stroke="#7a7f87" stroke-dasharray="3 3"/>`,
    `<text x="${goal}" y="14" text-anchor="middle">goal</text>`,
    ...bars,
    '</svg>',
    '',
  ].join('\n');
}

const escaped = (text: string): string => text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
