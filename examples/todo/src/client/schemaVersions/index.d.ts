
	import { StorageSchema } from '@verdant-web/common';
	declare const versions: StorageSchema[];
	export default versions;
	