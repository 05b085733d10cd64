import { contractOf } from './testing/contract.js';

contractOf('sqlStorage, normal');
