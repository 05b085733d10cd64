import { user } from '../user.js';
import { addNote, notes, onConnection, removeNote } from './client.js';

const element = <E extends HTMLElement>(id: string) => document.getElementById(id) as E;

element<HTMLAnchorElement>('back').href = `/?user=${encodeURIComponent(user)}`;

onConnection((isConnected) => {
  element('status').textContent = isConnected ? `Live, as ${user}` : 'Connecting…';
  element('status').dataset.status = isConnected ? 'live' : 'connecting';
});

element<HTMLFormElement>('add').addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.currentTarget as HTMLFormElement;
  const { text, private: isPrivate } = form.elements as unknown as Record<string, HTMLInputElement>;
  addNote(text!.value.trim(), isPrivate!.checked);
  text!.value = '';
});

notes.subscribe('change', () => show());
notes.resolved.then(() => show());

function show(): void {
  element('notes').replaceChildren(...notes.current.map(row));
}

function row(note: (typeof notes.current)[number]): HTMLElement {
  const item = document.createElement('li');
  item.className = 'item';
  const text = document.createElement('span');
  text.className = 'text';
  text.textContent = note.get('text');
  item.append(text);
  if (note.isAuthorized) {
    const badge = document.createElement('span');
    badge.className = 'badge';
    badge.textContent = 'Only you';
    item.append(badge);
  }
  const remove = document.createElement('button');
  remove.className = 'remove';
  remove.textContent = '×';
  remove.setAttribute('aria-label', `Remove ${note.get('text')}`);
  remove.addEventListener('click', () => removeNote(note.get('id')));
  item.append(remove);
  return item;
}
