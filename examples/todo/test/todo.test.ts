import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, failToStart, startApp } from './app.js';
import { launchChromium } from './chromium.js';
import { type ListWindow, openList } from './list-window.js';
import { openNotes } from './notes-window.js';
import { drawings, drawPicture } from './picture.js';

const DEADLINE = { timeout: 30_000 };

let app: App;
let browser: Browser;
let ada: ListWindow;
let ben: ListWindow;

beforeAll(async () => {
  browser = await launchChromium();
  app = await startApp();
  // One after the other: who comes while a client takes in the answer to its first sync, it may miss (docs/compatibility.md).
  ada = await openList(browser, app.url, 'Ada');
  ben = await openList(browser, app.url, 'Ben');
});
afterAll(async () => {
  await browser?.close();
  expect(await app?.stop()).toBe(0);
});

const bothShow = async (items: string[]) => {
  for (const { items: shown } of [ada, ben]) await expect.poll(shown, DEADLINE).toEqual(items);
};

test('each sees who is here', async () => {
  await expect.poll(ada.avatars, DEADLINE).toEqual(['Ada (you)', 'Ben']);
  await expect.poll(ben.avatars, DEADLINE).toEqual(['Ben (you)', 'Ada']);
});

test('what one adds, words anew, ticks off or removes, the other sees', async () => {
  await ada.add('Tomatos');
  await ada.add('Nothing');
  await bothShow(['Tomatos', 'Nothing']);
  await ben.rename('Tomatos', 'Tomatoes');
  await ben.tick('Nothing');
  await bothShow(['Tomatoes', '✓ Nothing']);
  await ada.remove('Nothing');
  await bothShow(['Tomatoes']);
});

test('one sees what the other has the cursor in', async () => {
  await ben.page.getByLabel('Text of Tomatoes').focus();
  await ada.page.getByLabel('Ben (editing)').waitFor(DEADLINE);
  await ben.page.getByLabel('Text of Tomatoes').blur();
  await ada.page.getByLabel('Ben (editing)').waitFor({ state: 'detached', ...DEADLINE });
});

test('a picture that one chooses is displayed to the other', async () => {
  await ada.choosePicture('Tomatoes', await drawPicture(browser, drawings.tomato));
  await expect.poll(() => ben.pictureWidth('Tomatoes'), DEADLINE).toBe(200);
});

test('what both did while one was offline is merged', async () => {
  await ada.add('Bread');
  await bothShow(['Tomatoes', 'Bread']);
  await ada.setOffline(true);
  await expect.poll(ben.avatars, DEADLINE).toEqual(['Ben (you)']);
  expect(await ada.avatars()).toEqual(['Ada (you)']);

  await ada.rename('Bread', 'Rye bread');
  await ada.add('Lemonade');
  await ada.choosePicture('Lemonade', await drawPicture(browser, drawings.sun));
  await ben.tick('Bread');
  await ben.add('A blanket');
  expect(await ada.items()).toEqual(['Tomatoes', 'Rye bread', 'Lemonade']);
  expect(await ben.items()).toEqual(['Tomatoes', '✓ Bread', 'A blanket']);

  await ada.setOffline(false);
  await bothShow(['Tomatoes', '✓ Rye bread', 'Lemonade', 'A blanket']);
  await expect.poll(() => ben.pictureWidth('Lemonade'), DEADLINE).toBe(200);
  await expect.poll(ben.avatars, DEADLINE).toEqual(['Ben (you)', 'Ada']);
});

test('all of it is there after a reload', async () => {
  const before = await ada.items();
  await ada.page.reload();
  await expect.poll(ada.items, DEADLINE).toEqual(before);
});

test('a browser that is not told who uses it picks a name, and keeps it', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const ownAvatar = page.getByRole('img', { name: '(you)' });
  await page.goto(app.url);
  await ownAvatar.waitFor(DEADLINE);
  const name = await ownAvatar.getAttribute('aria-label');
  await page.reload();
  await ownAvatar.waitFor(DEADLINE);
  expect(await ownAvatar.getAttribute('aria-label')).toBe(name);
  await context.close();
});

test('a user who is here with another browser already is shown once', async () => {
  for (let opening = 0; opening < 5; opening++) {
    const again = await openList(browser, app.url, 'Ada');
    const own = again.page.getByRole('img', { name: 'Ada (you)' });
    await again.page.locator('[data-status=live]').waitFor(DEADLINE);
    expect(await own.count()).toBe(1);
    await again.page.context().close();
  }
});

test('two tabs of a browser are one user, and show the same', async () => {
  const first = await openList(browser, app.url, 'Cleo');
  const page = await first.page.context().newPage();
  await page.goto(first.page.url());
  // Both tabs are one replica: what one of them writes before the other has a socket is nothing new to the server.
  await page.locator('[data-status=live]').waitFor(DEADLINE);
  await first.add('Napkins');
  await page.getByLabel('Text of Napkins', { exact: true }).waitFor(DEADLINE);
  await page.getByLabel('Napkins is done', { exact: true }).check();
  await expect.poll(first.items, DEADLINE).toContain('✓ Napkins');
  expect((await first.avatars()).filter((name) => name.startsWith('Cleo'))).toEqual(['Cleo (you)']);
  await first.page.context().close();
});

test('private notes reach all devices of their user, and nobody else', async () => {
  const [phone, laptop, other] = await Promise.all([
    openNotes(browser, app.url, 'Ada'),
    openNotes(browser, app.url, 'Ada'),
    openNotes(browser, app.url, 'Ben'),
  ]);
  await phone.add('A surprise for Ben', { isPrivate: true });
  await phone.add('Saturday at noon', { isPrivate: false });
  await expect.poll(laptop.notes, DEADLINE).toEqual(['A surprise for Ben', 'Saturday at noon']);
  // The server passes messages on in order: had it sent the first to Ben, it would be there before the second.
  await expect.poll(other.notes, DEADLINE).toEqual(['Saturday at noon']);
  expect(other.wasSent('Saturday at noon')).toBe(true);
  expect(other.wasSent('surprise')).toBe(false);
});

test('a second start says which setting to change when the port of the page is taken', async () => {
  const { port } = new URL(app.url);
  const { exitCode, errors } = await failToStart({ PORT: port, VERDANT_PORT: '0' });
  expect(exitCode).toBe(1);
  expect(errors).toMatch(`Port ${port} is already in use. PORT=${Number(port) + 1}`);
});

test('a second start says which setting to change when the port of the server is taken', async () => {
  const { port } = new URL(app.origin);
  const { exitCode, errors } = await failToStart({ PORT: '0', VERDANT_PORT: port });
  expect(exitCode).toBe(1);
  expect(errors).toContain(`Port ${port} is in use`);
  expect(errors).toContain(`VERDANT_PORT=${Number(port) + 1}`);
});
