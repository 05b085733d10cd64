export { LocalFileStorage, type LocalFileStorageOptions } from './local-file-storage.js';
export type { SignedUrlOptions } from './url-signature.js';
