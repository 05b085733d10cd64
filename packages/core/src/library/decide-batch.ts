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
      const { connection, error } = inbound;
      // After a refused message nothing later of that connection is processed.
      if (refused.has(connection)) break;
      if (error !== null) {
        effects.push({ kind: 'refuse', error });
        refused.add(connection);
        continue;
      }
      const decided = decideOne(draft, context, inbound);
      draft.apply(decided.step);
      for (const effect of decided.effects) {
        effects.push(effect);
        if (effect.kind === 'refuse') refused.add(connection);
      }
    }
    return effects;
  });
}

type Understood = Extract<Inbound, { error: null }>;

/** A message that cannot be decided fails alone. */
function decideOne(draft: Draft, context: DecideContext, inbound: Understood): Decided {
  try {
    return decide(draft, context, inbound.connection, inbound.message, inbound.staged);
  } catch (error) {
    return { step: {}, effects: [{ kind: 'refuse', error: asVerdantError(error) }] };
  }
}

/** Whether these effects end with a refusal. */
export const isRefused = (effects: readonly Effect[]): boolean =>
  effects.some(({ kind }) => kind === 'refuse');
