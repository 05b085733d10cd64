import type { TestDevice } from '../clients/device.js';
import type { TestClient } from '../clients/test-client.js';
import { waitFor } from '../until.js';
import type { ServerTarget } from './server-target.js';

interface Opened {
  client: TestClient;
  device: TestDevice;
  library: string;
}

const CHANGING_BACK_MS = 3_000;

/**
 * Waits until clients on the automatic transport have the one that who else is there asks for. What is written while a
 * client changes its transport may never be sent, in either generation: it may be dated before the first sync over the
 * new one without being in it. An app's user rarely writes in just these milliseconds; a scenario would often.
 */
export async function transportsSettled(target: ServerTarget, opened: readonly Opened[]): Promise<void> {
  const automatic = opened.filter(({ client }) => client.transport === 'auto');
  if (automatic.length === 0) return;
  const begun = Date.now();
  const settled = async (one: Opened) => {
    if (!one.client.online) return true;
    const wanted = await wantedMode(target, one, opened);
    // It changes back a second after the last other has left, or not at all.
    if (!wanted || (wanted === 'pull' && Date.now() - begun > CHANGING_BACK_MS)) return true;
    const { mode, connected } = await one.client.state();
    return mode === wanted && connected;
  };
  await waitFor(async () => !(await Promise.all(automatic.map(settled))).includes(false), {
    // 5.x waits longer each time before it connects again, up to a minute.
    deadline: 60_000,
    describe: async () => {
      const there = opened.filter(({ client }) => client.online);
      return (await Promise.all(there.map(({ client }) => client.describe()))).join('\n\n');
    },
  });
}

/** Undefined where it depends on what the server still remembers of a device that polled and left. */
async function wantedMode(
  target: ServerTarget,
  { client, device, library }: Opened,
  opened: readonly Opened[],
) {
  const users = Object.keys(await target.library(library).getPresence());
  if (users.some((userId) => userId !== client.userId)) return 'realtime';
  const otherDevices = opened.filter(
    (other) => other.library === library && other.client.userId === client.userId && other.device !== device,
  );
  if (otherDevices.some((other) => other.client.online)) return 'realtime';
  return otherDevices.length > 0 ? undefined : 'pull';
}
