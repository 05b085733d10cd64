import type { LibraryChange } from '@verdant-web/core';

/** One line of a trace. */
export function describeChange({
  head,
  operations = [],
  baselines = [],
  fold = [],
  replicas = [],
}: LibraryChange): string {
  const parts = operations.map(
    ({ order, oid, timestamp, authz }) => `${order} ${oid} @${timestamp}${authz ? ' private' : ''}`,
  );
  if (baselines.length > 0) parts.push(`${baselines.length} baselines`);
  if (fold.length > 0) parts.push(`folds ${fold.join(' ')}`);
  for (const { id, ackedOrder, ackedTime, pending } of replicas) {
    const waits = pending.map(
      ({ timestamp, order, reset }) => `, ${reset ? 'reset' : 'reply'} @${timestamp} through ${order}`,
    );
    parts.push(`${id} acked ${ackedOrder} @${ackedTime}${waits.join('')}`);
  }
  return `commits version ${head.version}: ${parts.join('; ')}; announced ${head.announcedAck}`;
}
