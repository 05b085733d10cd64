import type { ServerOrder } from '@verdant-web/protocol';

export type OrderRange = readonly [first: ServerOrder, last: ServerOrder];

/** Server orders as ranges of what was stored in a row, which most of what is folded at once was. */
export function rangesOf(orders: readonly ServerOrder[]): OrderRange[] {
  const ranges: [ServerOrder, ServerOrder][] = [];
  for (const order of [...orders].sort((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range && order <= range[1] + 1) range[1] = order;
    else ranges.push([order, order]);
  }
  return ranges;
}
