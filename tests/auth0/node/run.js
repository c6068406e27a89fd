// Runs cases in V8 and holds each to what it has to call.
//
// `node run.js HOST CASES`: HOST is the text that sets up a realm, the one of stepup's own sandbox. Each line of CASES is an
// Action, `{"code"}`, or a case of one before it, by its number: `{"action", "about", "event", "now", "expected"}`.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import vm from 'node:vm';

/** So many are shown; the rest is counted. */
const SHOWN = 3;

const [host, cases] = process.argv.slice(2).map((file) => readFileSync(file, 'utf8'));
const setUp = new vm.Script(host, { filename: 'host.js' });

/** What an Action calls, in a realm of its own. */
async function calls(action, { event, now }) {
  const realm = vm.createContext({});
  const { hasHandler, begin, recorded } = setUp.runInContext(realm)(JSON.stringify(event), now);
  action.runInContext(realm, { timeout: 1000 });
  if (!hasHandler()) throw new Error('no handler');
  await begin();
  const told = JSON.parse(recorded()).calls.map((call) => call.command ?? call);
  return told.filter((call) => call.setMetadata === undefined).map((call) => (call.deny ? { deny: call.deny.reason } : call));
}

const actions = [];
const count = { cases: 0, failed: 0 };
for (const line of cases.split('\n').filter(Boolean)) {
  const given = JSON.parse(line);
  if (given.code !== undefined) {
    actions.push(new vm.Script(given.code, { filename: 'action.js' }));
    continue;
  }
  count.cases += 1;
  const found = await calls(actions[given.action], given).catch((error) => `${error?.stack ?? error}`);
  if (isDeepStrictEqual(found, given.expected)) continue;
  count.failed += 1;
  if (count.failed <= SHOWN) console.log(JSON.stringify({ ...given, found }, null, 2));
}
console.log(`${process.version}: ${actions.length} Actions, ${count.cases} cases, ${count.failed} failed`);
process.exit(count.failed === 0 ? 0 : 1);
