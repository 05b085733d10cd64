
/**
 * @generated - do not modify this file.
 */
import v1 from './v1.js';

export default [v1]
	