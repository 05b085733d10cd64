import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

/** The list, open in a browser of its own: a device. */
export interface ListWindow {
  readonly page: Page;
  add(text: string): Promise<void>;
  rename(text: string, to: string): Promise<void>;
  tick(text: string): Promise<void>;
  remove(text: string): Promise<void>;
  choosePicture(text: string, png: Buffer): Promise<void>;
  setOffline(isOffline: boolean): Promise<void>;
  /** The items as they are shown: what is done begins with a tick. */
  items(): Promise<string[]>;
  /** The avatars, by their labels. */
  avatars(): Promise<string[]>;
  /** The width of an item's picture in pixels, 0 while it is not displayed. */
  pictureWidth(text: string): Promise<number>;
}

/** Opens the list as this user, in a browser that knows of no other. */
export async function openList(
  browser: Browser,
  url: string,
  user: string,
  options: BrowserContextOptions = {},
): Promise<ListWindow> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(`${url}/?user=${user}`);
  await page.getByText('Live.').waitFor();
  const textOf = (text: string) => page.getByLabel(`Text of ${text}`, { exact: true });

  return {
    page,
    add: async (text) => {
      await page.getByLabel('New item').fill(text);
      await page.getByRole('button', { name: 'Add' }).click();
      await textOf(text).waitFor();
    },
    rename: async (text, to) => {
      await textOf(text).fill(to);
      await textOf(to).blur();
    },
    tick: (text) => page.getByLabel(`${text} is done`, { exact: true }).check(),
    remove: (text) => page.getByRole('button', { name: `Remove ${text}`, exact: true }).click(),
    choosePicture: (text, png) =>
      page
        .getByLabel(`Picture of ${text}`, { exact: true })
        .setInputFiles({ name: 'picture.png', mimeType: 'image/png', buffer: png }),
    setOffline: (isOffline) => page.getByRole('switch', { name: 'Work offline' }).setChecked(isOffline),
    items: () =>
      page.locator('.item').evaluateAll((rows) =>
        rows.map((row) => {
          const [isDone, text] = row.querySelectorAll('input');
          return `${isDone!.checked ? '✓ ' : ''}${text!.value}`;
        }),
      ),
    avatars: () =>
      page.locator('.avatars .avatar').evaluateAll((all) => all.map((one) => one.ariaLabel ?? '')),
    pictureWidth: (text) =>
      page
        .getByRole('img', { name: text, exact: true })
        .evaluateAll(([image]) => (image as HTMLImageElement | undefined)?.naturalWidth ?? 0),
  };
}
