import { asVerdantError } from './as-verdant-error.js';
import type { Connection } from './connection.js';
import { type DecideContext, decide } from './decide.js';
import type { Decided } from './decide-sync.js';
import type { Draft } from './draft.js';
import type { Effect } from './effects.js';
import type { Inbound } from './inbound.js';

/** Decide what came over several connections, in order, on one draft. Returns the effects of each list of messages. */
export function decideBatch(
  draft: Draft,
  context: DecideContext,
  batch: readonly (readonly Inbound[])[],
): Effect[][] {
  const refused = new Set<Connection>();
  return batch.map((messages) => {
    const effects: Effect[] = [];
    for (const inbound of messages) {
      const { connection, message, error } = inbound;
      // After a refused message nothing later of that connection is processed.
      if (refused.has(connection)) break;
      if (error !== null) {
        effects.push({ kind: 'refuse', error });
        refused.add(connection);
        continue;
      }
      const decided = decideOne(draft, context, connection, message, inbound.staged);
      draft.apply(decided.step);
      effects.push(...decided.effects);
      if (isRefused(decided.effects)) refused.add(connection);
    }
    return effects;
  });
}

/** A message that cannot be decided fails alone. */
function decideOne(...args: Parameters<typeof decide>): Decided {
  try {
    return decide(...args);
  } catch (error) {
    return { step: {}, effects: [{ kind: 'refuse', error: asVerdantError(error) }] };
  }
}

/** Whether these effects end with a refusal. */
export const isRefused = (effects: readonly Effect[]): boolean =>
  effects.some(({ kind }) => kind === 'refuse');
