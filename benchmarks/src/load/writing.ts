import type { Replica } from './replica.js';

/** Sends a change of one object: each is begun in its turn, and changed from then on. Returns the timestamp. */
export function writeOne(replica: Replica, round: number, objects: number): string {
  const timestamp = replica.now();
  const object = round % objects;
  const fields = {
    title: `Item ${object}`,
    done: false,
    note: 'what an item of a list may say about itself',
  };
  const data =
    round < objects
      ? { op: 'initialize', value: fields }
      : { op: 'set', name: 'note', value: `what round ${round} has to say about an item of a list` };
  replica.send({
    type: 'op',
    operations: [{ oid: `${objectsOf(replica)}${object}`, timestamp, data }],
    timestamp,
  });
  return timestamp;
}

/** Whether this is an object that the replica writes. */
export const isOf = (replica: Replica, oid: string): boolean => oid.startsWith(objectsOf(replica));

const objectsOf = ({ id }: Replica): string => `items/${id}-`;
