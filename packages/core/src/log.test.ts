import { VerdantErrorCode } from '@verdant-web/protocol';
import pino from 'pino';
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { createVerdant } from './create-verdant.js';
import { createLog } from './log.js';
import type { Logger, LogLevel } from './logger.js';
import { memoryStorage } from './memory.js';
import { World } from './testing/world.js';
import type { VerdantOptions } from './verdant.js';

/** Lines of a real pino, as they are written. */
function inMemory(options: pino.LoggerOptions = {}) {
  const lines: Record<string, unknown>[] = [];
  const logger = pino(options, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { logger, lines };
}

/** Fields that must not be built. */
const untouchable = () => {
  throw new Error('built for nobody');
};

const say = (log: ReturnType<typeof createLog>, level: LogLevel) =>
  log[level]?.({ n: 1 }, `said as ${level}`);
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

describe('what may be given as log', () => {
  test('a function gets level, message and fields, from info on', () => {
    const told = vi.fn();
    for (const level of LEVELS) say(createLog(told), level);
    expect(told.mock.calls).toEqual([
      ['info', 'said as info', { n: 1 }],
      ['warn', 'said as warn', { n: 1 }],
      ['error', 'said as error', { n: 1 }],
    ]);
  });

  test.each(LEVELS)('logLevel %s is the least that a function gets', (logLevel) => {
    const told = vi.fn();
    for (const level of LEVELS) say(createLog(told, logLevel), level);
    expect(told.mock.calls.map(([level]) => level)).toEqual(LEVELS.slice(LEVELS.indexOf(logLevel)));
  });

  test('pino gets fields and message, at its own level, also when that changes', () => {
    const { logger, lines } = inMemory({ level: 'warn' });
    const log = createLog(logger);
    for (const level of LEVELS) say(log, level);
    expect(lines.map(({ msg, n }) => [msg, n])).toEqual([
      ['said as warn', 1],
      ['said as error', 1],
    ]);
    logger.level = 'debug';
    say(log, 'debug');
    expect(lines.at(-1)).toMatchObject({ level: 20, msg: 'said as debug', n: 1 });
    logger.level = 'silent';
    expect(LEVELS.map((level) => log[level])).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('an error is written as pino writes errors, with its stack and its cause', () => {
    const { logger, lines } = inMemory();
    createLog(logger).error?.({ err: new Error('no disk', { cause: new Error('EIO') }) }, 'It failed.');
    expect(lines[0]).toMatchObject({
      err: { type: 'Error', message: 'no disk: EIO', stack: expect.any(String) },
    });
  });

  test('logLevel holds for pino too, where it is given', () => {
    const { logger, lines } = inMemory({ level: 'debug' });
    for (const level of LEVELS) say(createLog(logger, 'error'), level);
    expect(lines.map(({ msg }) => msg)).toEqual(['said as error']);
  });

  test('a logger that does not say what it takes gets info and up', () => {
    const methods = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    for (const level of LEVELS) say(createLog(methods), level);
    expect(LEVELS.map((level) => methods[level].mock.calls.length)).toEqual([0, 1, 1, 1]);
    expect(methods.info).toHaveBeenCalledWith({ n: 1 }, 'said as info');
  });

  test.each([
    ['a word', { log: 'loud' }],
    ['an object without methods', { log: { info: () => {} } }],
    ['null', { log: null }],
    ['a level that there is not', { log: () => {}, logLevel: 'loud' }],
  ])('%s is refused at start', (_, options) => {
    const create = () =>
      createVerdant({
        storage: memoryStorage(),
        tokenSecret: 'long enough for a test, and then some',
        ...(options as Partial<VerdantOptions>),
      });
    expect(create).toThrow(expect.objectContaining({ code: VerdantErrorCode.Configuration }));
  });

  test('the types take the sample of the documentation, pino and console', () => {
    const options: Pick<VerdantOptions, 'log'>[] = [
      { log: (level, ...args) => console.log(level, ...args) },
      { log: (level: string, ...args: unknown[]) => console.log(level, ...args) },
      { log: async () => {} },
      { log: pino({ level: 'silent' }) },
      { log: console },
    ];
    expect(options).toHaveLength(5);
    expectTypeOf<pino.Logger>().toExtend<Logger>();
    expectTypeOf<Console>().toExtend<Logger>();
  });
});

describe('bound fields', () => {
  test('are in each line, the nearer before the farther, and are read when it is written', () => {
    const told = vi.fn();
    let replicaId: string | null = null;
    const log = createLog(told)
      .with({ libraryId: 'lib', n: 0 })
      .with({
        get replicaId() {
          return replicaId;
        },
      });
    say(log, 'info');
    replicaId = 'r';
    log.info?.({ n: 2 }, 'again');
    expect(told.mock.calls.map(([, , fields]) => fields)).toEqual([
      { libraryId: 'lib', replicaId: null, n: 1 },
      { libraryId: 'lib', replicaId: 'r', n: 2 },
    ]);
  });
});

describe('a level that is off', () => {
  test.each([
    ['nothing', undefined],
    ['a function', () => {}],
    ['pino', inMemory({ level: 'info' }).logger],
  ])('builds neither fields nor sentence, with %s as log', (_, logger) => {
    const log = createLog(logger).with({
      get bound(): never {
        return untouchable();
      },
    });
    log.debug?.({ field: untouchable() }, untouchable());
    expect(log.debug).toBeUndefined();
  });

  test('the engine reads nothing for the log while it works', async () => {
    const bound = vi.fn();
    const methods = { debug: bound, info: bound, warn: bound, error: bound };
    const asked: LogLevel[] = [];
    const log: Logger = { ...methods, isLevelEnabled: (level) => asked.push(level) < 0 };
    const world = new World({ log });
    const ana = await world.founder();
    await ana.push(ana.set('items/1', 'title', 'two'));
    await (await world.member('bob')).post({ type: 'heartbeat' });
    ana.raw('{');
    await world.settle(100);
    expect(bound).not.toHaveBeenCalled();
    // That it would have had something to say, had anybody listened.
    expect(asked).toContain('debug');
    expect(asked).toContain('info');
  });
});

describe('a logger that fails takes nothing with it', () => {
  const failure = () => {
    throw new Error('the log is full');
  };
  const rejection = () => Promise.reject(new Error('the log is full'));

  test.each([
    ['throws', failure],
    ['rejects', rejection],
  ])('when it %s', async (_, fails) => {
    const unhandled = vi.fn();
    process.on('unhandledRejection', unhandled);
    try {
      for (const level of LEVELS) say(createLog(fails as () => never, 'debug'), level);
      const methods = { debug: fails, info: fails, warn: fails, error: fails };
      const log = createLog({ ...methods, isLevelEnabled: fails } as unknown as Logger);
      for (const level of LEVELS) say(log, level);
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('unhandledRejection', unhandled);
    }
    expect(unhandled).not.toHaveBeenCalled();
  });
});
