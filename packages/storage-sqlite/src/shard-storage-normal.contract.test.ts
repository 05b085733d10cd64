import { contractOf } from './testing/contract.js';

contractOf('sqlShardStorage, normal, 2 files open at most');
