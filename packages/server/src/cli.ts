#!/usr/bin/env node
import { runCli } from './cli/run.js';

await runCli({
  args: process.argv.slice(2),
  environment: process.env,
  packageFile: new URL('../package.json', import.meta.url),
});
