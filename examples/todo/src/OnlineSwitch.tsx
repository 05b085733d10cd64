import { hooks } from './store.js';

export interface OnlineSwitchProps {
  isOnline: boolean;
  onChange: (isOnline: boolean) => void;
}

/** Pretends to lose the network, and says how things stand. */
export function OnlineSwitch({ isOnline, onChange }: OnlineSwitchProps) {
  const isConnected = hooks.useSyncStatus();
  const status = !isOnline ? 'offline' : isConnected ? 'live' : 'connecting';
  return (
    <div className="connection">
      <p className="status" data-status={status} role="status">
        {STATUS[status]}
      </p>
      <label className="switch">
        Work offline
        <input
          type="checkbox"
          role="switch"
          checked={!isOnline}
          aria-checked={!isOnline}
          onChange={(event) => onChange(!event.target.checked)}
        />
      </label>
    </div>
  );
}

const STATUS = {
  live: 'Live. Everyone sees what you do.',
  connecting: 'Connecting…',
  offline: 'Offline. Changes are merged later.',
};
