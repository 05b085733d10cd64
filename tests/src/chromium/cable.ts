import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** Between a device and the server. Chromium's own way to be offline leaves open sockets as they are; this cuts them. */
export interface Cable {
  readonly port: number;
  /** Everything that is open breaks off without a farewell, and nothing gets through. */
  cut(): void;
  mend(): void;
  end(): Promise<void>;
}

export async function layCable(serverPort: number): Promise<Cable> {
  const ends = new Set<Socket>();
  let isCut = false;
  const cut = () => {
    isCut = true;
    for (const end of ends) end.destroy();
  };
  const server = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connect(serverPort, 'localhost');
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      end.setNoDelay(true);
      ends.add(end);
      end.on('error', () => end.destroy());
      end.on('close', () => {
        ends.delete(end);
        other.destroy();
      });
      end.pipe(other);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, 'localhost', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    mend: () => {
      isCut = false;
    },
    end: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}
