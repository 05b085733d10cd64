/** A user's initial, in a colour that is the same wherever the user appears. */
export function Avatar({ name, note }: { name: string; note?: string }) {
  const label = note ? `${name} (${note})` : name;
  return (
    <span className="avatar" role="img" aria-label={label} title={label} style={{ '--hue': hueOf(name) }}>
      {[...name][0]?.toUpperCase()}
    </span>
  );
}

const hueOf = (name: string): number =>
  [...name].reduce((hue, letter) => (hue * 31 + letter.codePointAt(0)!) % 360, 7);
