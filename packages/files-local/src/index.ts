export { LocalFileStorage, type LocalFileStorageOptions } from './local-file-storage.js';
