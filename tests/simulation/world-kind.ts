/** The usual world, or one that differs from it in one thing, and is otherwise the same as the usual one of its seed. */
export type WorldKind =
  | 'usual'
  /** The process is taken from memory wherever it rests, as a Durable Object is, and its sockets stay. */
  | 'hibernating'
  /** Clocks of devices are set back while they are used. */
  | 'clocks-set-back'
  /** Clients date what they write below the announced global ack, or just at it. */
  | 'hostile-dates';

export const WORLD_KINDS: readonly WorldKind[] = ['usual', 'hibernating', 'clocks-set-back', 'hostile-dates'];

/** Throws where there is no such kind. */
export function worldKind(name: string): WorldKind {
  const kind = WORLD_KINDS.find((other) => other === name);
  if (kind) return kind;
  throw new Error(`There are no worlds of the kind "${name}", but: ${WORLD_KINDS.join(', ')}.`);
}
