import type { Browser, Page } from 'playwright-core';

/** The notes, open in a browser of its own. */
export interface NotesWindow {
  readonly page: Page;
  add(text: string, options: { isPrivate: boolean }): Promise<void>;
  notes(): Promise<string[]>;
  /** Whether the text came over the socket to this window. */
  wasSent(text: string): boolean;
}

/** Opens the notes as this user. */
export async function openNotes(browser: Browser, url: string, user: string): Promise<NotesWindow> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const frames: string[] = [];
  page.on('websocket', (socket) =>
    socket.on('framereceived', ({ payload }) => {
      frames.push(String(payload));
    }),
  );
  await page.goto(`${url}/notes.html?user=${user}`);
  await page.getByText('Live').waitFor();
  return {
    page,
    add: async (text, { isPrivate }) => {
      await page.getByLabel('Only for me').setChecked(isPrivate);
      await page.getByLabel('New note').fill(text);
      await page.getByRole('button', { name: 'Add' }).click();
      await page.locator('.text', { hasText: text }).waitFor();
    },
    notes: () => page.locator('.item .text').allTextContents(),
    wasSent: (text) => frames.some((frame) => frame.includes(text)),
  };
}
