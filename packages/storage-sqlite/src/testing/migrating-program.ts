import { sqlStorage } from '../index.js';

// Opens a database, telling when it begins and when it is done.
const [databaseFile] = process.argv.slice(2);
console.log('begins');
const storage = sqlStorage({ databaseFile: databaseFile! });
console.log('done');
await storage.close();
