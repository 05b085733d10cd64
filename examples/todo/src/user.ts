const NAMES = ['Ada', 'Ben', 'Cleo', 'Dan', 'Eve', 'Finn', 'Gus', 'Hana', 'Ida', 'Jon', 'Kim', 'Lea'];
const KEPT_AS = 'todo-user';

/** Who uses this page: `?user=` says so; a browser that is not told keeps a name of its own. */
export const user = new URLSearchParams(location.search).get('user')?.trim() || ownName();

/** Somebody else, for a second window. */
export function someoneElse(): string {
  return randomOf(NAMES.filter((name) => name !== user));
}

// Functions, for `user` needs them before the end of this file is reached.
function ownName(): string {
  const name = localStorage.getItem(KEPT_AS) ?? randomOf(NAMES);
  localStorage.setItem(KEPT_AS, name);
  return name;
}

function randomOf(names: string[]): string {
  return names[Math.floor(Math.random() * names.length)]!;
}
