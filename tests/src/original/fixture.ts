import { fileURLToPath } from 'node:url';

/** A database as the published original server, 2.1.2, left it; `make-fixture.ts` makes it. */
export const FIXTURE = fileURLToPath(new URL('../../fixtures/original-2.1.2.sqlite', import.meta.url));

/** The items that its clients, 3.6.3, showed at the end. */
export const FIXTURE_ITEMS = fileURLToPath(new URL('../../fixtures/original-2.1.2.json', import.meta.url));
