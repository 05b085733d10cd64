// Writes what each package exports into its api-report*.api.md, one for each import path, so that every change of the
// public API is a diff to be reviewed. With --check nothing is written: fails where a report is out of date.
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor';

const root = new URL('..', import.meta.url).pathname;
const check = process.argv.includes('--check');
const temporary = mkdtempSync(join(tmpdir(), 'verdant-api-'));

const problems = [];
for (const name of readdirSync(join(root, 'packages'))) {
  const folder = join(root, 'packages', name);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const reports = Object.entries(manifest.exports)
    .filter(([, target]) => typeof target === 'object')
    .map(([path, { types }]) => ({ types: join(folder, types), report: reportName(path) }));
  for (const { types, report } of reports) {
    if (!existsSync(types)) problems.push(`${types} is missing: run "pnpm build" first.`);
    else if (!extract(folder, types, report)) problems.push(`packages/${name}/${report} is out of date.`);
  }
  const wanted = new Set(reports.map(({ report }) => report));
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.api.md') && !wanted.has(file)) {
      problems.push(`packages/${name}/${file} is of nothing that package.json exports: remove it.`);
    }
  }
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) console.error('Run "pnpm build && pnpm api", and look at what it changes.');
else console.log(check ? 'Every API report is up to date.' : 'The API reports are written.');
process.exitCode = problems.length > 0 ? 1 : 0;

/** `.` is `api-report.api.md`, `./memory` is `api-report.memory.api.md`. */
function reportName(path) {
  return path === '.' ? 'api-report.api.md' : `api-report.${path.slice(2).replaceAll('/', '.')}.api.md`;
}

/** Whether the report is as it should be now. */
function extract(folder, types, report) {
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: types,
      newlineKind: 'lf',
      compiler: { tsconfigFilePath: join(folder, 'tsconfig.build.json') },
      apiReport: {
        enabled: true,
        reportFileName: report,
        reportFolder: folder,
        reportTempFolder: join(temporary, folder.split('/').at(-1)),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.Error },
          // Releases are whole; nothing is marked @beta.
          'ae-missing-release-tag': { logLevel: ExtractorLogLevel.None },
          // A type that is needed but not exported shows in the report.
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true },
          // It shows in the report as "(undocumented)".
          'ae-undocumented': { logLevel: ExtractorLogLevel.None },
          'ae-unresolved-link': { logLevel: ExtractorLogLevel.None },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
  });
  const result = Extractor.invoke(config, {
    localBuild: !check,
    showVerboseMessages: false,
    messageCallback: (message) => {
      if (message.logLevel !== ExtractorLogLevel.Error) message.handled = true;
    },
  });
  return result.errorCount === 0 && !(check && result.apiReportChanged);
}
