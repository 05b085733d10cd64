import type { DriverOptions } from './driver.js';
import type { TestClient } from './test-client.js';

/** A phone or a laptop: what outlives a tab. Clients that are opened on one device are one replica. */
export interface TestDevice {
  /** The server as this device reaches it. */
  readonly base: string;
  /** Opens a client in a tab of its own; it does not sync yet. */
  open(options: DriverOptions & { userId: string }): Promise<TestClient>;
  /** What went wrong in its tabs and was handled by nobody. */
  readonly errors: readonly string[];
  /** It is thrown away with all that it holds. */
  end(): Promise<void>;
}
