import { clockContract } from './clock.js';
import { commitContract } from './commits.js';
import { diskContract } from './disk.js';
import { documentContract } from './documents.js';
import { evictionContract } from './eviction.js';
import { fileRecordContract } from './file-records.js';
import type {
  DurableContractOptions,
  DurableStorageUnderTest,
  StorageContractOptions,
  StorageTest,
} from './fixture.js';
import { foldingContract } from './folding.js';
import { historyContract } from './histories.js';
import { isolationContract } from './isolation.js';
import { keyContract } from './keys.js';
import { killContract } from './killing.js';
import { manyLibrariesContract } from './many.js';
import { pageContract } from './pages.js';
import { replicaContract } from './replicas.js';
import { revocationContract } from './revocations.js';
import { stagingContract } from './staging.js';
import { streamingContract } from './streaming.js';
import { textContract } from './text.js';
import { valueContract } from './values.js';

/** What every storage is held to, by subject. */
export const contracts: Record<string, (test: StorageTest, options: StorageContractOptions) => void> = {
  commits: commitContract,
  histories: historyContract,
  'replicas and access': replicaContract,
  staging: stagingContract,
  documents: documentContract,
  pages: pageContract,
  streaming: streamingContract,
  keys: keyContract,
  folding: foldingContract,
  'file records': fileRecordContract,
  eviction: evictionContract,
  libraries: isolationContract,
  revocations: revocationContract,
  text: textContract,
  'large values': valueContract,
  clock: clockContract,
};

/** What those are held to besides whose data outlives the process. */
export const durableContracts: Record<
  string,
  (test: StorageTest<DurableStorageUnderTest>, options: DurableContractOptions) => void
> = {
  'kill -9': killContract,
  'disk space': diskContract,
  'many libraries': manyLibrariesContract,
};
