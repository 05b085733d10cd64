const { existsSync } = require('node:fs');
const { dirname, join } = require('node:path');

// pnpm does not hand 'nodedir' on to node-gyp, which then looks for Node's headers on the internet.
// Where they lie beside the running node, point at them, so that better-sqlite3 compiles offline.
function updateConfig(config) {
  const prefix = dirname(dirname(process.execPath));
  if (existsSync(join(prefix, 'include/node/node.h'))) {
    config.extraEnv = { ...config.extraEnv, npm_config_nodedir: prefix };
  }
  return config;
}

module.exports = { hooks: { updateConfig } };
