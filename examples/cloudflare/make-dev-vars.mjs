// Makes .dev.vars, once: what `wrangler dev` binds on your machine only. It is not committed.
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';

const file = new URL('.dev.vars', import.meta.url);
if (!existsSync(file)) {
  const secret = randomBytes(48).toString('base64');
  writeFileSync(file, `TOKEN_SECRET="${secret}"\nFILES_HOST="http://localhost:8787/files"\n`);
  console.log('A secret for development was made, in .dev.vars.');
}
