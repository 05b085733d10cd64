// Takes the screenshot of the README: two people with the list open, one of them editing.

import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { startApp } from './app.js';
import { launchChromium } from './chromium.js';
import { openList } from './list-window.js';
import { drawings, drawPicture } from './picture.js';

const file = fileURLToPath(new URL('../screenshot.png', import.meta.url));
const size = { width: 470, height: 500 };

const app = await startApp();
const browser = await launchChromium();
try {
  const options = { viewport: size, deviceScaleFactor: 1.5 };
  const ada = await openList(browser, app.url, 'Ada', options);
  const ben = await openList(browser, app.url, 'Ben', options);
  const pictures = { Tomatoes: drawings.tomato, 'Rye bread': undefined, Blanket: drawings.blanket };
  for (const [text, drawing] of Object.entries(pictures)) {
    await ada.add(text);
    if (drawing) await ada.choosePicture(text, await drawPicture(browser, drawing));
  }
  await ada.tick('Rye bread');
  await ben.page.getByRole('img', { name: 'Blanket' }).waitFor();
  await ben.add('Ask Cleo to come');
  await ben.page.getByLabel('Text of Tomatoes').focus();
  await ada.page.getByLabel('Ben (editing)').waitFor();
  await ada.page.mouse.move(0, 0);
  await sideBySide(browser, [ada.page, ben.page]);
} finally {
  await browser.close();
  await app.stop();
}

/** One picture of several windows. */
async function sideBySide(browser: Browser, pages: Page[]): Promise<void> {
  const shots = await Promise.all(pages.map((page) => page.screenshot()));
  const images = shots.map((png) => `<img src="data:image/png;base64,${png.toString('base64')}">`);
  const page = await browser.newPage({ deviceScaleFactor: 1.5 });
  await page.setContent(`
    <style>
      body { display: inline-flex; gap: 20px; padding: 20px; margin: 0; background: #c9d6c8 }
      img { width: ${size.width}px; border-radius: 12px; box-shadow: 0 4px 16px #0003 }
    </style>
    ${images.join('')}`);
  await page.locator('body').screenshot({ path: file });
}
