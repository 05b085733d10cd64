import type { Fault } from './fault.js';

/** Faults in what is done about operations that come later than others have folded. */
export const lateFaults: readonly Fault[] = [
  {
    name: 'does not send the object of a late change anew',
    breaks: ['LATE-1'],
    harm: 'Devices that have folded never see the change; the others do.',
    file: 'library/late.ts',
    right: 'if (horizon === null) return repairs;',
    wrong: 'return repairs;',
  },
  {
    name: 'does not take what a reset brought for folded',
    breaks: ['LATE-1'],
    harm: 'A device that was new overlooks the change; the others see it.',
    file: 'library/late.ts',
    right: ': { ...head, horizon: head.latest };',
    wrong: ': head;',
  },
  {
    name: 'writes several objects anew at the same time',
    breaks: ['LATE-2'],
    harm: 'A device that acknowledges one is taken to hold the others.',
    file: 'library/late.ts',
    right: 'timestampAfter(laterOf(repairs.horizon, horizon), SERVER_NODE)',
    wrong: 'timestampAfter(horizon, SERVER_NODE)',
  },
  {
    name: 'does not tell the author of a late change of its object',
    breaks: ['LATE-5'],
    harm: 'Where it has folded, it never sees its own change.',
    file: 'library/releaser.ts',
    right: 'broadcastChanges(changes, null, told,',
    wrong: 'broadcastChanges(changes, connection, told,',
  },
];
