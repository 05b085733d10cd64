import { describe, expect, test } from 'vitest';
import { fileHeaders } from './file-headers.js';

const headersOf = (type: string, name = 'a') => fileHeaders({ name, type });

describe('a type', () => {
  test.each([
    'image/png',
    'image/jpeg',
    'IMAGE/GIF',
    'image/webp',
    'audio/mpeg',
    'video/mp4',
    'application/pdf',
  ])('%s is shown, as what it is', (type) => {
    expect(headersOf(type)).toMatchObject({
      'Content-Type': type.toLowerCase(),
      'Content-Disposition': 'inline; filename="a"',
      'X-Content-Type-Options': 'nosniff',
    });
  });

  test.each([
    'text/html',
    'image/svg+xml',
    'application/xhtml+xml',
    'text/xml',
    'multipart/related',
    'application/octet-stream',
    'application/json',
  ])('%s is downloaded', (type) => {
    expect(headersOf(type)).toMatchObject({
      'Content-Type': type,
      'Content-Disposition': 'attachment; filename="a"',
      'Content-Security-Policy': expect.stringContaining('sandbox'),
    });
  });

  test.each([
    'text/javascript',
    'application/javascript',
    'application/x-ecmascript',
    'text/css',
    'application/wasm',
  ])('%s, which a page could load as code, is not said to be that', (type) => {
    expect(headersOf(type)).toMatchObject({
      'Content-Type': 'application/octet-stream',
      'Content-Disposition': 'attachment; filename="a"',
    });
  });

  test.each([
    '',
    'png',
    'text/html\r\nSet-Cookie: a=b',
    'a/b/c',
    'text/ html',
    '💚/💚',
    `a/${'b'.repeat(300)}`,
  ])('%j, which is none, is unknown', (type) => {
    expect(headersOf(type)['Content-Type']).toBe('application/octet-stream');
  });

  test('of text has a charset', () => {
    expect(headersOf('text/plain')['Content-Type']).toBe('text/plain; charset=utf-8');
    expect(headersOf('text/plain;charset=ISO-8859-1')['Content-Type']).toBe('text/plain; charset=iso-8859-1');
    expect(headersOf('text/plain;charset="a\nb"')['Content-Type']).toBe('text/plain; charset=utf-8');
  });

  test('that is PDF is not put in a sandbox, where browsers show none', () => {
    expect(headersOf('application/pdf')).not.toHaveProperty('Content-Security-Policy');
  });
});

test.each([
  ['photo.png', 'inline; filename="photo.png"'],
  ['', 'inline'],
  ['a "b" \\ c.png', `inline; filename="a _b_ _ c.png"; filename*=UTF-8''a%20%22b%22%20%5C%20c.png`],
  [
    "Grüße (1)'*.png",
    `inline; filename="Gr__e (1)'*.png"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%281%29%27%2A.png`,
  ],
  ['a\r\nSet-Cookie: b', `inline; filename="a__Set-Cookie: b"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b`],
  ['\ud83d.png', `inline; filename="_.png"; filename*=UTF-8''%EF%BF%BD.png`],
])('the name %j goes into a header', (name, disposition) => {
  const value = headersOf('image/png', name)['Content-Disposition'];
  expect(value).toBe(disposition);
  // What is no header throws.
  new Headers({ 'Content-Disposition': value! });
});
