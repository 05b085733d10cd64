import { contractOf } from './testing/contract.js';

contractOf('sqlShardStorage, full', 'sqlShardStorage, normal, 2 files open at most');
