import type { Browser } from 'playwright-core';

/** A PNG of this drawing, an SVG of 100 × 100. */
export async function drawPicture(browser: Browser, svg: string): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width: 100, height: 100 }, deviceScaleFactor: 2 });
  await page.setContent(
    `<body style="margin:0"><svg xmlns="http://www.w3.org/2000/svg" width="100" height="100">${svg}</svg>`,
  );
  const png = await page.screenshot();
  await page.close();
  return png;
}

/** What the pictures of the tests show. */
export const drawings = {
  tomato: `<rect width="100" height="100" fill="#f6e7d8"/><circle cx="50" cy="56" r="30" fill="#d9472b"/>
    <path d="M50 30 38 20M50 30 62 20M50 30V16" stroke="#3d7a3a" stroke-width="6" stroke-linecap="round"/>`,
  sun: `<rect width="100" height="100" fill="#bfe0f2"/><circle cx="50" cy="46" r="20" fill="#f7c948"/>
    <path d="M0 78Q25 62 50 76T100 72V100H0Z" fill="#6aa66b"/>`,
  blanket: `<rect width="100" height="100" fill="#c94f4f"/><g fill="#fff8" ><path d="M0 20H100V40H0ZM0 60H100V80H0Z"/>
    <path d="M20 0H40V100H20ZM60 0H80V100H60Z"/></g>`,
};
