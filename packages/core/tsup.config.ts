import { libraryBuild } from '../../tsup.shared.js';

export default libraryBuild(['src/index.ts', 'src/memory.ts', 'src/backend.ts']);
