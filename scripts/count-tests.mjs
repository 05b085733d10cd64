// Prints the plain count of vitest's JSON reports as the last line, and fails where a test failed, was skipped or did not
// run. Called with the status that vitest ended with, then the reports.
import { readFileSync } from 'node:fs';

const [status, ...files] = process.argv.slice(2);
const reports = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
const suites = reports.flatMap((report) => report.testResults);
const sum = (name) => reports.reduce((total, report) => total + report[name], 0);

const passed = sum('numPassedTests');
const skipped = sum('numPendingTests') + sum('numTodoTests');
// A file that could not be loaded has no tests to count, but is a failure.
const broken = suites.filter((suite) => suite.status === 'failed' && suite.assertionResults.length === 0);
for (const suite of broken) console.log(`did not run: ${suite.name}: ${suite.message}`);
const failed = sum('numFailedTests') + broken.length;
for (const suite of suites) {
  for (const test of suite.assertionResults) {
    if (test.status !== 'passed') console.log(`${test.status}: ${suite.name}: ${test.fullName}`);
  }
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
// A report without a single test is of a run that went wrong.
const isEmpty = reports.some((report) => report.numPassedTests === 0);
process.exitCode = failed > 0 || skipped > 0 || isEmpty ? 1 : Number(status);
