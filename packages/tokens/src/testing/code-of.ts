/** How a verification ended: accepted, or the code of its refusal. */
export const codeOf = (verification: Promise<unknown>): Promise<string | number | undefined> =>
  verification.then(
    () => 'accepted',
    (error: { code?: number }) => error.code,
  );
