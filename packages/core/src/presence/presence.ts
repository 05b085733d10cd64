import type { UserInfo } from '@verdant-web/protocol';

/** Who is present in a library, by user id. */
export type LibraryPresence = Record<string, UserInfo>;
