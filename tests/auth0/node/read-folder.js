// Reads a folder as `a0deploy import` does, and prints the Actions and triggers that it understood, as JSON.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const logger = require('auth0-deploy-cli/lib/logger.js').default;
const Folder = require('auth0-deploy-cli/lib/context/directory/index.js').default;

logger.silent = true;
const only = ['actions', 'triggers'];
const context = new Folder({ AUTH0_INPUT_FILE: process.argv[2], AUTH0_INCLUDED_ONLY: only }, {});
await context.loadAssetsFromLocal();
const { actions, triggers } = context.assets;
console.log(JSON.stringify({ actions, triggers }));
