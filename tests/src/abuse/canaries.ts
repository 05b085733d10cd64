/** Texts that must never turn up where they do not belong: in a log, or with anybody but those they are for. */
export const CANARIES = {
  /** In documents of the bystanders' library elsewhere, which no attacker has a token for. */
  elsewhere: 'canary-elsewhere-5f1c',
  /** In a private document of a bystander, in the library that is attacked. */
  private: 'canary-private-a937',
  /** In what attackers write. */
  attacker: 'canary-attacker-2be0',
} as const;
