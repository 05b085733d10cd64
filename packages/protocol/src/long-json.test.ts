import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VerdantError } from './errors.js';
import { defaultMessageLimits } from './limits.js';
import { type CutJson, cutJson, type ListInText, type MessagePlace } from './long-json.js';
import { baselinesIn, operationsIn } from './validate.js';

describe('cutJson', () => {
  const cut = (text: string, place: MessagePlace): CutJson => {
    const reading = cutJson(text, place, 100);
    for (;;) {
      const step = reading.next();
      if (step.done) return step.value;
    }
  };
  const items = (list: ListInText | undefined): unknown[] | undefined =>
    list && Array.from({ length: list.length }, (_, index) => list.item(index, 100));
  /** What was cut out, put back. */
  const whole = (text: string, place: MessagePlace): unknown => {
    const { value, content } = cut(text, place);
    for (const [index, lists] of content) {
      const message = place === 'message' ? value : (value as { messages: unknown[] }).messages[index];
      for (const [name, list] of Object.entries(lists))
        (message as Record<string, unknown>)[name] = items(list);
    }
    return value;
  };

  const strange = fc.oneof(
    fc.jsonValue({ stringUnit: 'binary' }),
    fc.constantFrom('"', '\\', '[', '{', '],', '"operations":[', 'messages'),
    fc.record({ operations: fc.array(fc.jsonValue()), messages: fc.array(fc.jsonValue()) }),
  );
  const message = fc.record(
    {
      type: fc.constant('sync'),
      before: strange,
      operations: fc.oneof({ weight: 4, arbitrary: fc.array(strange) }, strange),
      between: strange,
      baselines: fc.array(strange),
      messages: strange,
    },
    { requiredKeys: [] },
  );
  const spacing = fc.constantFrom(undefined, 1, '\t');

  it('reads of one message what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.oneof(message, strange), spacing, (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(whole(text, 'message')).toEqual(JSON.parse(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it('reads of a list of messages what JSON.parse reads', () => {
    const body = fc.record(
      {
        before: strange,
        messages: fc.oneof({ weight: 4, arbitrary: fc.array(message) }, strange),
        after: strange,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(body, spacing, (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(whole(text, 'messages')).toEqual(JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });

  it('leaves the lists of messages in the text, and no others', () => {
    const text =
      '{"operations":[9],"messages":[{"type":"a"},{"operations":[1,{"operations":[2]}],"baselines":[]}]}';
    const { value, content } = cut(text, 'messages');
    expect(value).toEqual({ operations: [9], messages: [{ type: 'a' }, { operations: [], baselines: [] }] });
    expect([...content.keys()]).toEqual([1]);
    expect(items(content.get(1)?.operations)).toEqual([1, { operations: [2] }]);
    expect(items(content.get(1)?.baselines)).toEqual([]);
  });

  it('takes the later of two lists of the same name', () => {
    expect(whole('{"operations":[1],"operations":[2]}', 'message')).toEqual({ operations: [2] });
    const twice = '{"messages":[{},{"operations":[1]}],"messages":[{"operations":[2]}]}';
    expect(whole(twice, 'messages')).toEqual({ messages: [{ operations: [2] }] });
  });

  it('refuses what is no JSON, at once or when the item is read', () => {
    fc.assert(
      fc.property(
        message,
        fc.nat(),
        fc.constantFrom('', '"', '[', ']', '{', '}', ',', '\\', 'x'),
        (value, at, put) => {
          const text = JSON.stringify(value);
          const place = at % (text.length + 1);
          const broken = text.slice(0, place) + put + text.slice(place + 1);
          let expected: unknown = VerdantError;
          try {
            expected = JSON.parse(broken);
          } catch {}
          if (expected === VerdantError) expect(() => whole(broken, 'message')).toThrow(VerdantError);
          else expect(whole(broken, 'message')).toEqual(expected);
        },
      ),
      { numRuns: 1_000 },
    );
    expect(() => whole('{"operations":[1,]}', 'message')).toThrow('not valid JSON');
    expect(() => whole('{"operations":[1}', 'message')).toThrow('not valid JSON');
    expect(() => cut(`{"a":${'['.repeat(1_000_000)}`, 'message')).toThrow(VerdantError);
    const deep = cut(`{"operations":[${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}]}`, 'message');
    expect(() => items(deep.content.get(0)?.operations)).toThrow('nested deeper');
  });

  it('lets others have a turn in a long text', () => {
    const reading = cutJson(`{"operations":[${'0,'.repeat(3_000_000)}0]}`, 'message', 8);
    let turns = 0;
    while (!reading.next().done) turns++;
    expect(turns).toBeGreaterThan(4);
  });
});

describe('items that were left in the text', () => {
  const list = (name: 'operations' | 'baselines', value: unknown[]): ListInText => {
    const step = cutJson(JSON.stringify({ [name]: value }), 'message', 8).next();
    return (step.value as CutJson).content.get(0)![name]!;
  };
  const timestamp = '0001000000001000100node-1'.slice(0, 24);

  it('are checked as those of a whole message', () => {
    const operation = { oid: 'items/1', timestamp, data: { op: 'delete' } };
    const limits = { ...defaultMessageLimits, maxOperationsPerMessage: 2 };
    expect([...operationsIn(list('operations', [operation, operation]), limits)]).toEqual([
      operation,
      operation,
    ]);
    expect(() => [...operationsIn(list('operations', [operation, {}]), limits)]).toThrow(
      /^operations\[1\]\.oid/,
    );
    expect(() => [...operationsIn(list('operations', [1, 2, 3]), limits)]).toThrow('at most 2 items');
    const baseline = { oid: 'items/1', timestamp, snapshot: { a: 1 } };
    const gone = { oid: 'items/2', timestamp, snapshot: null };
    expect([...baselinesIn(list('baselines', [baseline, gone]), limits)]).toEqual([baseline]);
  });
});
