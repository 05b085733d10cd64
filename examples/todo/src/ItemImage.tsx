import type { EntityFile } from './client/index.js';
import { hooks } from './store.js';

export interface ItemImageProps {
  file: EntityFile | null;
  /** What the picture is of. */
  of: string;
  onPick: (file: File) => void;
}

/** The picture of an item, or a place for one. A click chooses another. */
export function ItemImage({ file, of, onPick }: ItemImageProps) {
  // Null until the bytes are here: at once on the device that has them, after the upload on all others.
  const url = hooks.useWatch(file);
  return (
    <label className="image" title="Choose a picture">
      {url ? <img src={url} alt={of} /> : file ? '…' : <Icon />}
      <input
        type="file"
        accept="image/*"
        className="visually-hidden"
        aria-label={`Picture of ${of}`}
        onChange={(event) => {
          const [picked] = event.target.files ?? [];
          if (picked) onPick(picked);
        }}
      />
    </label>
  );
}

function Icon() {
  return (
    <svg viewBox="0 0 24 24" width="20" fill="none" stroke="currentColor" aria-hidden="true">
      <rect x="3" y="4" width="18" height="16" rx="3" />
      <circle cx="9" cy="10" r="1.8" />
      <path d="m4 18 5-4 3 2 4-5 5 5" />
    </svg>
  );
}
