import type { LibraryChange, LibraryStorage, Storage } from '@verdant-web/core';

/** A step that waits until the test lets it go on. */
export interface Gate {
  /** Resolves when the step has been reached. */
  readonly reached: Promise<void>;
  open(): void;
  /** It goes on, and fails. */
  fail(): void;
}

export interface GatedStorage extends Storage {
  /** Holds the next commit that `matches`. */
  hold(matches: (change: LibraryChange) => boolean): Gate;
  /** Holds the opening of the next library. */
  holdOpen(): Gate;
  /** The next `times` commits that `match` fail without having changed anything. */
  failNext(matches: (change: LibraryChange) => boolean, times: number): void;
  /** Every commit so far. */
  readonly commits: LibraryChange[];
  /** How often each method of a library was called. */
  readonly calls: Map<string, number>;
}

/** A storage that can be stopped in the middle of what it does. */
export function gatedStorage(inner: Storage): GatedStorage {
  let commitGate: { matches: (change: LibraryChange) => boolean; pass: () => Promise<void> } | undefined;
  let openGate: (() => Promise<void>) | undefined;
  let failing = { matches: (_: LibraryChange) => false, times: 0 };
  const commits: LibraryChange[] = [];
  const calls = new Map<string, number>();

  const wrapped = (library: LibraryStorage): LibraryStorage =>
    new Proxy(library, {
      get(target, name) {
        calls.set(String(name), (calls.get(String(name)) ?? 0) + 1);
        if (name === 'commit') {
          return async (change: LibraryChange) => {
            commits.push(change);
            if (failing.times > 0 && failing.matches(change)) {
              failing.times--;
              throw new Error('The disk is full (says the test).');
            }
            if (commitGate?.matches(change)) {
              const { pass } = commitGate;
              commitGate = undefined;
              await pass();
            }
            return target.commit(change);
          };
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });

  return {
    limits: inner.limits,
    commits,
    calls,
    async open(id) {
      if (openGate) {
        const pass = openGate;
        openGate = undefined;
        await pass();
      }
      return wrapped(await inner.open(id));
    },
    list: (after) => inner.list(after),
    readRevocations: () => inner.readRevocations(),
    putRevocation: (row) => inner.putRevocation(row),
    close: () => inner.close(),
    hold(matches) {
      const { gate, pass } = makeGate();
      commitGate = { matches, pass };
      return gate;
    },
    holdOpen() {
      const { gate, pass } = makeGate();
      openGate = pass;
      return gate;
    },
    failNext(matches, times) {
      failing = { matches, times };
    },
  };
}

function makeGate(): { gate: Gate; pass: () => Promise<void> } {
  let reach = () => {};
  let open = () => {};
  let fail = () => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const opened = new Promise<void>((resolve, reject) => {
    open = resolve;
    fail = () => reject(new Error('The disk is gone (says the test).'));
  });
  return {
    gate: { reached, open: () => open(), fail: () => fail() },
    pass: async () => {
      reach();
      await opened;
    },
  };
}
