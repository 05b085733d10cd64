import type { ObjectState } from '../platform.js';

/** Rows as Cloudflare bills them. */
export interface CountedRows {
  written: number;
  read: number;
}

interface Cursor {
  rowsWritten: number;
  rowsRead: number;
}

/** The same state, whose SQL is counted, and what was counted so far. A cursor counts on while it is read. */
export function withCountedRows(state: ObjectState): { state: ObjectState; rows: () => CountedRows } {
  const total: CountedRows = { written: 0, read: 0 };
  const open: Cursor[] = [];
  const rows = () => {
    for (const { rowsWritten, rowsRead } of open.splice(0)) {
      total.written += rowsWritten;
      total.read += rowsRead;
    }
    return { ...total };
  };
  const sql = around(state.storage.sql, {
    exec: (query: string, ...params: unknown[]) => {
      const cursor = state.storage.sql.exec(query, ...params);
      open.push(cursor as unknown as Cursor);
      return cursor;
    },
  });
  const storage = around(state.storage, {
    sql,
    setAlarm: (time: number) => {
      // An alarm that is set is billed as a row.
      total.written++;
      return state.storage.setAlarm(time);
    },
  });
  return { state: around(state, { storage }), rows };
}

/** An object of the runtime's with other members: its own methods insist on being called on it. */
const around = <Target extends object>(
  target: Target,
  members: Partial<Record<keyof Target, unknown>>,
): Target =>
  new Proxy(target, {
    get: (of, name) => {
      if (name in members) return members[name as keyof Target];
      const member = Reflect.get(of, name, of) as unknown;
      return typeof member === 'function' ? member.bind(of) : member;
    },
  });
