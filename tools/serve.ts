/** Serves the built Worker in plain workerd, without node in the request path. */
import { resolve } from 'node:path'
import { startShop } from './demo/shop.ts'
import { serveCommand } from './serving/command.ts'
import { ROOT, wranglerConfig } from './support/build.ts'
import { runCommand } from './support/cli.ts'
import { developmentSecrets } from './support/secrets.ts'
import { ownBundle } from './support/workerd.ts'

const ABOUT = `Serves the built Worker in plain workerd (builds first when there is no build). Without --origin, and
when the configuration names none, it also starts the demo shop. Variables and rooms come from wrangler.toml, or
from --config. SIGTERM ends it and everything it started; the same --storage brings everything back, and only one
server can have it at a time. The secrets ROOM_KEYS, ADMIN_TOKEN, ADMIN_TOKENS, ALERT_RECEIVERS and METRICS_TOKEN
come from the environment, or from files that ROOM_KEYS_FILE, ADMIN_TOKEN_FILE and so on name; the first two otherwise
from .dev.vars, where they are made on the first run. Behind a proxy with TLS name the header in which it sends
the visitor's address: then the scheme is taken from X-Forwarded-Proto, and only the proxy may reach the port.`

const args = process.argv.slice(2)

await runCommand(
  serveCommand({
    args,
    about: ABOUT,
    keysCommand: 'npm run -s keys --',
    bundle: ownBundle,
    vars: () => wranglerConfig().vars,
    // Only for secrets that are not given: on a server nothing is written into the checkout.
    missing: async name => ({ value: (await developmentSecrets(resolve(ROOT, '.dev.vars')))[name], from: '.dev.vars' }),
    demo: () => startShop({ port: 0 }),
  }),
  args,
)
