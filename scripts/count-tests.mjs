// Prints the plain count of a vitest JSON report as the last line, and fails where a test failed, was skipped or did not run.
import { readFileSync } from 'node:fs';

const [file, status] = process.argv.slice(2);
const report = JSON.parse(readFileSync(file, 'utf8'));
const skipped = report.numPendingTests + report.numTodoTests;
// A file that could not be loaded has no tests to count, but is a failure.
const broken = report.testResults.filter(
  (suite) => suite.status === 'failed' && suite.assertionResults.length === 0,
);
for (const suite of broken) console.log(`did not run: ${suite.name}: ${suite.message}`);
const failed = report.numFailedTests + broken.length;
for (const suite of report.testResults) {
  for (const test of suite.assertionResults) {
    if (test.status !== 'passed') console.log(`${test.status}: ${suite.name}: ${test.fullName}`);
  }
}
console.log(`${report.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 || skipped > 0 || report.numPassedTests === 0 ? 1 : Number(status);
