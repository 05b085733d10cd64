import v1 from './v1.js';

export default [v1];
