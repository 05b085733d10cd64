export { type MemoryBus, memoryBus } from './memory/bus.js';
export { memoryStorage } from './memory/storage.js';
