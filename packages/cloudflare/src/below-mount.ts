import type { Context } from 'hono';
import { baseRoutePath } from 'hono/route';

/** The request as an app sees it that is mounted where this context is: its path begins there. */
export function belowMount(c: Context): Request {
  const url = new URL(c.req.url);
  const mounted = segmentsOf(baseRoutePath(c)).length;
  url.pathname = `/${segmentsOf(url.pathname).slice(mounted).join('/')}`;
  return new Request(url, c.req.raw);
}

/** `/` at either end, and several in a row, make no difference. */
const segmentsOf = (path: string): string[] =>
  path.split('/').filter((segment) => segment !== '' && segment !== '*');
