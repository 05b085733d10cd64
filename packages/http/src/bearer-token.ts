/** The token in an `Authorization: Bearer …` header; undefined where there is none, or one of another scheme. */
export const bearerToken = (authorization: string | null | undefined): string | undefined =>
  authorization?.match(/^Bearer +(\S+) *$/i)?.[1];
