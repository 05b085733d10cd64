/** A document with what items lack: a list of objects, a map that loses keys, a field of any shape. */
export interface Board {
  id: string;
  title: string;
  cards: Card[];
  notes: Record<string, string>;
  extra: unknown;
}

export interface Card {
  title: string;
  done: boolean;
}

export type BoardInit = Partial<Omit<Board, 'id'>>;

export function toBoard(snapshot: Record<string, unknown>): Board {
  const { id, title, cards, notes, extra } = snapshot as unknown as Board;
  return { id, title, cards, notes, extra };
}
