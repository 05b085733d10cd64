import { describe, expect, test } from 'vitest';
import { isInsecure, readCommand, UsageError } from './options.js';

const optionsOf = (args: string[], environment: NodeJS.ProcessEnv = {}) => {
  const command = readCommand(args, environment);
  if (command.do !== 'serve') throw new Error(`It would ${command.do}.`);
  return command.options;
};

test('the defaults are those that the client has', () => {
  expect(optionsOf([])).toMatchObject({
    port: 3242,
    host: 'localhost',
    database: 'verdant.sqlite',
    files: 'verdant-files',
    log: 'warn',
  });
  expect(isInsecure(optionsOf([]))).toBe(true);
});

test('options come before the environment, which comes before the defaults', () => {
  const environment = { VERDANT_PORT: '1', VERDANT_SECRET: 'from the environment' };
  expect(optionsOf([], environment)).toMatchObject({ port: 1, secret: 'from the environment' });
  expect(optionsOf(['--port', '2', '--secret=x'], environment)).toMatchObject({ port: 2, secret: 'x' });
  expect(optionsOf([], { VERDANT_PORT: '', VERDANT_SECRET: '' })).toMatchObject({ port: 3242 });
});

test.each([
  [['--log'], 'debug'],
  [['--log', '--port', '1'], 'debug'],
  [['--log', 'info'], 'info'],
  [['--log=error'], 'error'],
])('%j logs %s', (args, level) => {
  expect(optionsOf(args).log).toBe(level);
});

test('origins are as browsers send them', () => {
  const args = ['--origin', 'https://App.example.com/', '--origin=http://localhost:80', '--origin', '*'];
  expect(optionsOf(args).origins).toEqual(['https://app.example.com', 'http://localhost', '*']);
  expect(optionsOf([]).origins).toEqual(['*']);
});

test('help and version need nothing else to be right', () => {
  expect(readCommand(['--help', '--port', 'x'], {})).toEqual({ do: 'help' });
  expect(readCommand(['-v'], { VERDANT_PORT: 'x' })).toEqual({ do: 'version' });
});

describe('refuses', () => {
  test.each([
    [['--unknown']],
    [['serve']],
    [['--port']],
    [['--port', '65536']],
    [['--port', '-1']],
    [['--port', '1.5']],
    [['--port', '']],
    [['--log=loud']],
    [['--help=x']],
    [['--origin', 'app.example.com']],
    [['--origin', 'https://app.example.com/page']],
    [['--origin', 'file:///x']],
    [['--origin=']],
  ])('%j in one line', (args) => {
    const refused = () => readCommand(args, {});
    expect(refused).toThrow(UsageError);
    expect(refused).toThrow(/^[^\n]{10,200}$/);
  });

  test('a port of the environment that is none', () => {
    expect(() => readCommand([], { VERDANT_PORT: 'x' })).toThrow(UsageError);
  });
});
