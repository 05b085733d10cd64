export { encodeBaseline, encodeOperation } from './library/wire.js';
export { findFoldable } from './storage/find-foldable.js';
export { HeldStages } from './storage/held-stages.js';
export { emptyRows, type LibraryRows, rowsAfter, rowsAfterEviction } from './storage/library-rows.js';
export { inPages } from './storage/pages.js';
