/** The command of a built folder. It lies beside the Worker and the runtime, and needs neither npm nor a checkout. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bundle } from './serving/bundle.ts'
import { serveCommand } from './serving/command.ts'
import { FOLDER_FILE, type FolderFile } from './serving/folder.ts'
import type { OptionalSecret, SecretName } from './serving/secrets.ts'
import { runCommand } from './support/cli.ts'

const HERE = dirname(fileURLToPath(import.meta.url))

const USAGE = `antesala serve|check-config|keys|room [FLAGS]

  serve         runs the waiting room in front of an origin
  check-config  checks a configuration before it is used
  keys          makes and rotates the secrets ROOM_KEYS and ADMIN_TOKENS
  room          reads and changes a room by the admin API

Each command explains its flags with --help. --version prints the version.`

const ABOUT = `Runs the waiting room in front of an origin. Variables and rooms come from --config, a file in the
form of wrangler.toml, or are those that this folder was built with. The secrets ROOM_KEYS, ADMIN_TOKEN,
ADMIN_TOKENS, ALERT_RECEIVERS and METRICS_TOKEN come from the environment, or from files that ROOM_KEYS_FILE,
ADMIN_TOKEN_FILE and so on name. SIGTERM ends it and everything it started; the same --storage brings everything back, and only one server can
have it at a time. Behind a proxy with TLS name the header in which it sends the visitor's address: then the scheme
is taken from X-Forwarded-Proto, and only the proxy may reach the port.`

/** The commands that make a missing secret, by the name of the secret. */
const MAKES: Readonly<Record<Exclude<SecretName, OptionalSecret>, string>> = {
  ROOM_KEYS: '(umask 077; antesala keys new > keys.json)\n  export ROOM_KEYS_FILE=keys.json',
  ADMIN_TOKEN: '(umask 077; head -c 24 /dev/urandom | base64 > admin.token)\n  export ADMIN_TOKEN_FILE=admin.token',
}

const [command, ...args] = process.argv.slice(2)

switch (command) {
  case 'serve':
    await runCommand(
      serveCommand({
        args,
        about: ABOUT,
        keysCommand: 'antesala keys',
        bundle: async () => folderBundle(),
        vars: () => folderFile().vars,
        missing: async name => {
          throw new Error(`${name} is not set. Make it once, and keep it:\n\n  ${MAKES[name]}`)
        },
        demo: null,
      }),
      args,
    )
    break
  // These commands read their own arguments.
  case 'keys':
    process.argv.splice(2, 1)
    await import('./keys.ts')
    break
  case 'check-config':
    process.argv.splice(2, 1)
    await import('./check-config.ts')
    break
  case 'room':
    process.argv.splice(2, 1)
    await import('./room.ts')
    break
  case '--version':
    console.log(folderFile().version)
    break
  case '--help':
    console.log(USAGE)
    break
  default:
    console.error(`${command === undefined ? 'a command is missing' : `there is no command ${command}`}\n\n${USAGE}`)
    process.exitCode = 2
}

function folderFile(): FolderFile {
  return JSON.parse(readFileSync(join(HERE, FOLDER_FILE), 'utf8')) as FolderFile
}

function folderBundle(): Bundle {
  const { modules, ...rest } = folderFile()
  return {
    ...rest,
    modules: modules.map(({ name, kind }) => ({ name, kind, path: join(HERE, 'worker', name) })),
    workerd: runtime(rest.workerdVersion),
  }
}

/** Returns the runtime in this folder, else the one of the npm package beside it. */
function runtime(version: string): string {
  const own = join(HERE, 'workerd')
  if (existsSync(own)) return own
  try {
    return (createRequire(import.meta.url)('workerd') as { default: string }).default
  } catch {
    throw new Error(`this folder has no runtime: npm install --prefix ${HERE} workerd@${version}`)
  }
}
