import { contractOf } from './testing/contract.js';

contractOf('sqlStorage, full');
