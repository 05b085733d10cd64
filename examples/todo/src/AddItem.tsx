import { type FormEvent, useState } from 'react';
import { hooks } from './store.js';

export function AddItem() {
  const client = hooks.useClient();
  const [text, setText] = useState('');

  const add = (event: FormEvent) => {
    event.preventDefault();
    if (!text.trim()) return;
    // In the local database at once, online or not: nothing to wait for, nothing to fail.
    client.items.put({ text: text.trim() });
    setText('');
  };

  return (
    <form className="add" onSubmit={add}>
      <input
        value={text}
        onChange={(event) => setText(event.target.value)}
        placeholder="What is to be done?"
        aria-label="New item"
      />
      <button type="submit">Add</button>
    </form>
  );
}
