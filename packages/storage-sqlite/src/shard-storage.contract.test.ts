import { contractOf } from './testing/contract.js';

contractOf('sqlShardStorage, full');
