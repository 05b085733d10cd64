/**
 * Where profiles of users come from: whatever the app permanently knows of a user, such as a name and an image.
 *
 * @example
 * ```ts
 * const profiles: UserProfiles = { get: async (userId) => ({ id: userId, name: await nameOf(userId) }) };
 * ```
 */
export interface UserProfiles<Profile = unknown> {
  /** The profile of a user. Values are cached. Where it throws, others see `{ id }` and it is asked again soon. */
  get(userId: string): Profile | Promise<Profile>;
}
