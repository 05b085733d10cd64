import { expect, test } from 'vitest';
import { waitFor } from './until.js';
import { RawReplica } from './wire.js';
import { inWorld } from './world.js';

test('[LATE-1] [LATE-3] what a device whose clock was set back writes to what others have folded is seen by all, now and after a reload', () =>
  inWorld({}, async (world) => {
    const newer = await world.open('ana', { generation: '5.5.0' });
    const older = await world.open('bob', { generation: '3.6.3' });
    await newer.put('1', { content: 'milk' });
    await world.converged([newer, older], ([first]) => first?.content === 'milk');
    const slow = new RawReplica(world.library, 'cy');
    await slow.connect(world.app.base);
    // Dated now, sent when its time is long past: as by a clock that was set back.
    const late = slow.operation('items/1', { op: 'set', name: 'purchased', value: true });
    await older.update('1', { content: 'butter' });
    await newer.addTag('1', 'cold');
    await waitFor(() => slow.globalAck > late.timestamp);
    // Clients fold sooner than the server does.
    await waitFor(async () => {
      const info = await world.app.core.get(world.library).getInfo();
      return (info?.operationsCount ?? 9) <= 1;
    });
    slow.push([late]);
    const [item] = await world.converged([newer, older], ([first]) => first?.purchased);
    expect(item).toMatchObject({ content: 'butter', tags: ['cold'], purchased: true });
    slow.disconnect();
    await newer.close();
    await older.close();
    const again = [await world.reopen(newer), await world.reopen(older)];
    const [later] = await world.converged(again, ([first]) => first?.purchased);
    expect(later).toEqual(item);
  }));
