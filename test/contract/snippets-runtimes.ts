/** The languages of the snippets: what each needs on the machine, and how its snippet is run on one value or as a server. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { ROOM } from './snippets-cases.ts'

export const SNIPPETS = new URL('../../docs/snippets/', import.meta.url).pathname
/** Linux takes no longer argument than 128 KiB: more goes through standard input. */
const ARGUMENT_CHARS_MAX = 100_000
const START_TIMEOUT_MS = 10_000

/** How long a server keeps its keys, in seconds. */
export interface KeyTimes {
  readonly maxAge: number
  readonly cooldown: number
}

export interface Language {
  readonly name: string
  /** Throws with the name of the package when the machine lacks what the snippet needs. */
  prepare(directory: string): Promise<void>
  verifier(jwks: string): readonly string[]
  server(url: string, port: number, directory: string, times: KeyTimes): Started
}

/** A command, and the environment it needs. */
export interface Started {
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** It leaves its children behind when it ends, so they have to be ended with it. */
  readonly forks?: boolean
}

const flags = (jwks: string) => ['--jwks', jwks, '--aud', ROOM]
const serveFlags = (url: string, port: number, { maxAge, cooldown }: KeyTimes) =>
  [...flags(url), '--port', port, '--max-age', maxAge, '--cooldown', cooldown].map(String)

export const NODE: Language = {
  name: 'node',
  async prepare() {},
  verifier: jwks => [process.execPath, join(SNIPPETS, 'node/main.mjs'), ...flags(jwks)],
  server: (url, port, _, times) => ({
    command: [process.execPath, join(SNIPPETS, 'node/main.mjs'), ...serveFlags(url, port, times)],
  }),
}

/** The system's own Python: Debian's packages are not seen by others that may be on the path. */
const PYTHON = ['/usr/bin/python3', '-B', join(SNIPPETS, 'python/main.py')]

let goBinary = ''

export const LANGUAGES: readonly Language[] = [
  NODE,
  {
    name: 'python',
    prepare: () =>
      need('/usr/bin/python3 with PyJWT and cryptography', 'python3 python3-jwt python3-cryptography', [
        '/usr/bin/python3',
        '-c',
        'import jwt, cryptography',
      ]),
    verifier: jwks => [...PYTHON, ...flags(jwks)],
    server: (url, port, _, times) => ({ command: [...PYTHON, ...serveFlags(url, port, times)] }),
  },
  {
    name: 'php',
    prepare: () => need('php with ext-sodium', 'php-cli', ['php', '-r', 'exit(extension_loaded("sodium") ? 0 : 1);']),
    verifier: jwks => ['php', join(SNIPPETS, 'php/main.php'), ...flags(jwks)],
    server: (url, port, directory, { maxAge, cooldown }) => ({
      command: ['php', '-S', `127.0.0.1:${port}`, join(SNIPPETS, 'php/serve.php')],
      env: {
        JWKS: url,
        JWKS_CACHE: join(directory, `jwks-${port}.json`),
        JWKS_MAX_AGE: String(maxAge),
        JWKS_COOLDOWN: String(cooldown),
        ROOM,
        PHP_CLI_SERVER_WORKERS: '4',
      },
      forks: true,
    }),
  },
  {
    name: 'go',
    async prepare(directory) {
      await need('go', 'golang-go', ['go', 'version'])
      goBinary = join(directory, 'origin')
      const env = { GOFLAGS: '-mod=mod', GOPROXY: 'off', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' }
      const built = await run(['go', 'build', '-buildvcs=false', '-o', goBinary, '.'], {
        cwd: join(SNIPPETS, 'go'),
        env,
      })
      if (built.code !== 0) throw new Error(`docs/snippets/go does not compile:\n${built.stderr}`)
    },
    verifier: jwks => [goBinary, ...flags(jwks)],
    server: (url, port, _, times) => ({ command: [goBinary, ...serveFlags(url, port, times)] }),
  },
]

export async function needNginx(): Promise<void> {
  const withModule = 'nginx -V 2>&1 | grep -q http_auth_request_module'
  await need('nginx with auth_request', 'nginx-light', ['sh', '-c', `PATH=$PATH:/usr/sbin; ${withModule}`])
}

/** Runs a language's verifier on one value of the header. */
export async function verify(command: readonly string[], header: string): Promise<{ code: number; printed: unknown }> {
  const isLong = header.length > ARGUMENT_CHARS_MAX
  const { code, stdout, stderr } = await run([...command, isLong ? '-' : header], { input: isLong ? header : '' })
  if (stderr !== '' || stdout === '')
    throw new Error(`${command[0]} ended with ${code}: ${stderr || 'it printed nothing'}`)
  return { code, printed: JSON.parse(stdout) }
}

/** A server process, started and answering. */
export class Running {
  readonly port: number
  readonly #process: ChildProcess
  readonly #gone: Promise<void>
  readonly #forks: boolean
  #log = ''

  private constructor(port: number, child: ChildProcess, forks: boolean) {
    this.port = port
    this.#process = child
    this.#forks = forks
    this.#gone = new Promise(resolve => child.once('exit', () => resolve()))
    child.once('error', error => {
      this.#log += error
    })
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', text => {
        this.#log += text
      })
  }

  static async start(port: number, { command, env = {}, forks = false }: Started): Promise<Running> {
    const [file = '', ...args] = command
    const child = spawn(file, args, {
      env: { ...quietEnv(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: forks,
    })
    const running = new Running(port, child, forks)
    try {
      await running.#listening()
    } catch (error) {
      await running.stop()
      throw error
    }
    return running
  }

  get log(): string {
    return this.#log
  }

  async stop(): Promise<void> {
    const { pid, exitCode } = this.#process
    if (exitCode !== null || pid === undefined) return
    if (this.#forks) process.kill(-pid)
    else this.#process.kill()
    await this.#gone
  }

  async #listening(): Promise<void> {
    const untilMs = Date.now() + START_TIMEOUT_MS
    while (!(await canConnect(this.port))) {
      if (this.#process.exitCode !== null || Date.now() > untilMs)
        throw new Error(`the server did not start: ${this.#log}`)
      await new Promise(resolve => setTimeout(resolve, 30))
    }
  }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** One request; several values of a header go out as several lines. A connection that the server cuts is status 0. */
export function send(
  port: number,
  headers: Readonly<Record<string, string | readonly string[]>>,
  { path = '/', method = 'GET' } = {},
): Promise<Answer> {
  return new Promise(resolve => {
    const cut = () => resolve({ status: 0, headers: {}, body: '' })
    const lines = headers as Record<string, string | string[]>
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers: lines, agent: false }, response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', text => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
      response.on('error', cut)
    })
    request.on('error', cut)
    request.end()
  })
}

export async function listen(server: Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

export async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise(resolve => server.close(resolve))
}

async function need(what: string, packages: string, command: readonly string[]): Promise<void> {
  const { code } = await run(command, {})
  if (code !== 0)
    throw new Error(`this machine has no ${what}, which docs/snippets needs: apt-get install -y ${packages}`)
}

interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function run(
  [file = '', ...args]: readonly string[],
  { input = '', cwd, env = {} }: { input?: string; cwd?: string; env?: Record<string, string> },
): Promise<Finished> {
  return new Promise(resolve => {
    const options = { env: { ...quietEnv(), ...env }, timeout: 60_000, ...(cwd === undefined ? {} : { cwd }) }
    const child = execFile(file, args, options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 127, stdout, stderr }),
    )
    child.stdin?.on('error', () => undefined) // It may end before it has read everything.
    child.stdin?.end(input)
  })
}

/** Without proxies: everything here is on this machine. */
function quietEnv(): NodeJS.ProcessEnv {
  const isProxy = (name: string) => /^(https?|all)_proxy$/i.test(name)
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isProxy(name)))
}

function canConnect(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true))
    socket.on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}
