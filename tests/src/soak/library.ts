const DOCUMENTS = 50;
const TEXT = 'x'.repeat(80);

/** What is in one library, and stays of one size: fields are set, lists grow and shrink, documents come and go. */
export class Library {
  readonly id: string;
  #edits = 0;

  constructor(id: string) {
    this.id = id;
  }

  /** Baselines that found it. */
  founding(now: () => string): object[] {
    const timestamp = now();
    return Array.from({ length: DOCUMENTS }, (_, n) => [
      { oid: `items/${n}`, timestamp, snapshot: { id: String(n), text: TEXT, list: ref(`items/${n}:list`) } },
      { oid: `items/${n}:list`, timestamp, snapshot: [] },
    ]).flat();
  }

  /** One edit of a user, as operations yet to be dated. */
  edit(): { oid: string; data: object }[] {
    const n = this.#edits++;
    const document = n % DOCUMENTS;
    const round = Math.floor(n / DOCUMENTS);
    if (round % 10 === 7) {
      return [{ oid: `items/${document}:list`, data: { op: 'list-push', value: `${round} ${TEXT}` } }];
    }
    if (round % 10 === 8) {
      return [{ oid: `items/${document}:list`, data: { op: 'list-delete', index: 0, count: 1 } }];
    }
    if (round % 10 === 9 && document % 10 === 0) {
      const oid = `notes/${round % 20}-${document}`;
      return round % 20 === 9
        ? [{ oid, data: { op: 'initialize', value: { id: `${round % 20}-${document}`, text: TEXT } } }]
        : [{ oid: `notes/9-${document}`, data: { op: 'delete' } }];
    }
    return [{ oid: `items/${document}`, data: { op: 'set', name: 'text', value: `${n} ${TEXT}` } }];
  }
}

const ref = (id: string) => ({ '@@type': 'ref', id });
