import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { build } from 'vite';
import type { TestProject } from 'vitest/node';
import { type Generation, generations, readBundle } from '../clients/bundle.js';
import { CHROMIUM_FLAGS, installedChromium, NO_CHROMIUM } from './installed.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The browser of this run and where its pages come from, or why there is none. */
    chromium: { endpoint: string; pages: string } | { missing: string };
  }
}

/** Starts one Chromium for all files of tests, and serves the pages that clients live in. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | void> {
  const executablePath = installedChromium();
  if (!executablePath) {
    project.provide('chromium', { missing: NO_CHROMIUM });
    return;
  }
  const [pages, server] = await Promise.all([
    servePages(),
    chromium.launchServer({ executablePath, args: CHROMIUM_FLAGS }),
  ]);
  project.provide('chromium', { endpoint: server.wsEndpoint(), pages: pages.base });
  return async () => {
    await server.close();
    await pages.close();
  };
}

/** The page of an app: its script, and the client of a generation as published. At another origin than the server, as apps are. */
async function servePages() {
  const scripts = new Map([['/tab.js', await bundleTab()]]);
  for (const generation of generations) scripts.set(`/${generation}.js`, readBundle(generation).source);
  const server = createServer(({ url = '/' }, response) => {
    const script = scripts.get(url);
    response.setHeader(
      'content-type',
      script ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8',
    );
    response.end(script ?? pageOf(url.slice(1) as Generation));
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return {
    base: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

// The bundle of 5.5.0 ends with `module.exports`.
const pageOf = (generation: Generation) => `<!doctype html><title>${generation}</title>
<link rel="icon" href="data:,">
<script>var module = { exports: {} };</script>
<script src="/tab.js"></script>
<script src="/${generation}.js"></script>`;

async function bundleTab(): Promise<string> {
  const entry = fileURLToPath(new URL('./tab.ts', import.meta.url));
  const result = await build({
    configFile: false,
    logLevel: 'warn',
    build: { write: false, minify: false, lib: { entry, formats: ['iife'], name: 'tab' } },
  });
  const [first] = Array.isArray(result) ? result : [result];
  if (!first || !('output' in first)) throw new Error('vite built nothing');
  return first.output[0].code;
}
