import { execFileSync } from 'node:child_process';

export const CHROMIUM_FLAGS =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split(
    ' ',
  );

export const NO_CHROMIUM =
  'there is no Chromium: install it (apt-get install chromium-headless-shell, or chromium), or set CHROMIUM to its path';

/** The shell is the same engine without a browser around it, and takes a sixth of the time. */
const NAMES = ['chromium-headless-shell', 'chromium', 'google-chrome', 'chromium-browser'];

/** The path of the Chromium of this machine: the one that `CHROMIUM` names, or the first of these in `PATH`. */
export function installedChromium(): string | undefined {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of NAMES) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8' }).trim();
    } catch {
      // the next name
    }
  }
  return undefined;
}
