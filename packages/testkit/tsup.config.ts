import { libraryBuild } from '../../tsup.shared.js';

export default libraryBuild(['src/storage.ts', 'src/writer.ts', 'src/files.ts', 'src/bus.ts']);
