import { libraryBuild } from '../../tsup.shared.js';

export default libraryBuild(['src/storage.ts', 'src/files.ts']);
