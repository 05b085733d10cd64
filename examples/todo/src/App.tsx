import { Suspense, useState } from 'react';
import { AddItem } from './AddItem.js';
import { Avatars } from './Avatars.js';
import { ItemList } from './ItemList.js';
import { OnlineSwitch } from './OnlineSwitch.js';
import { hooks, store } from './store.js';
import { someoneElse, user } from './user.js';

export function App() {
  const [isOnline, setOnline] = useState(true);
  return (
    // `sync` starts and stops the connection. Everything else works the same either way.
    <hooks.Provider value={store} sync={isOnline}>
      {/* The hooks suspend until the local database is open and has answered. */}
      <Suspense fallback={null}>
        <main className="page">
          <header className="header">
            <h1>Shared list</h1>
            <Avatars isOnline={isOnline} />
          </header>
          <OnlineSwitch isOnline={isOnline} onChange={setOnline} />
          <AddItem />
          <ItemList />
          <Links />
        </main>
      </Suspense>
    </hooks.Provider>
  );
}

function Links() {
  return (
    <footer className="footer">
      <a href={`/?user=${someoneElse()}`} target="_blank" rel="noreferrer">
        Open as someone else
      </a>
      <a href={`/notes.html?user=${encodeURIComponent(user)}`}>Private notes</a>
    </footer>
  );
}
