/**
 * The languages of the snippets: what each needs on the machine,
 * and how its snippet runs on one value or as a server.
 */
import { execFile } from 'node:child_process'
import { request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { type Child, startChild } from '../../../tools/support/children.ts'
import type { ProgramName } from '../../../tools/testing/programs.ts'
import { command } from '../../support/node/programs.ts'
import { ROOM } from './cases.ts'

export const SNIPPETS = new URL('../../../docs/snippets/', import.meta.url).pathname
const START_TIMEOUT_MS = 10_000

/** The cookie in which a server looks where no header has a pass. */
export const COOKIE = `__Host-antesala-${ROOM}`

/** How long a server keeps its keys, in seconds. */
export interface KeyTimes {
  readonly maxAge: number
  readonly cooldown: number
}

export interface Language {
  readonly name: string
  /** The program that runs the snippet. It is null for node, which runs the tests as well. */
  readonly needs: ProgramName | null
  /** Compiles the snippet where the language needs it. */
  prepare(directory: string): Promise<void>
  verifier(jwks: string): readonly string[]
  server(url: string, port: number, directory: string, times: KeyTimes): Started
}

/** A command, and the environment it needs. */
export interface Started {
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const flags = (jwks: string) => ['--jwks', jwks, '--aud', ROOM]
const serveFlags = (url: string, port: number, { maxAge, cooldown }: KeyTimes) =>
  [...flags(url), '--port', port, '--max-age', maxAge, '--cooldown', cooldown, '--cookie', COOKIE].map(String)

export const NODE: Language = {
  name: 'node',
  needs: null,
  async prepare() {},
  verifier: jwks => [process.execPath, join(SNIPPETS, 'node/main.mjs'), ...flags(jwks)],
  server: (url, port, _, times) => ({
    command: [process.execPath, join(SNIPPETS, 'node/main.mjs'), ...serveFlags(url, port, times)],
  }),
}

const PYTHON = [command('python'), '-B', join(SNIPPETS, 'python/main.py')]

let goBinary = ''

export const LANGUAGES: readonly Language[] = [
  NODE,
  {
    name: 'python',
    needs: 'python',
    async prepare() {},
    verifier: jwks => [...PYTHON, ...flags(jwks)],
    server: (url, port, _, times) => ({ command: [...PYTHON, ...serveFlags(url, port, times)] }),
  },
  {
    name: 'php',
    needs: 'php',
    async prepare() {},
    verifier: jwks => [command('php'), join(SNIPPETS, 'php/main.php'), ...flags(jwks)],
    server: (url, port, directory, { maxAge, cooldown }) => ({
      command: [command('php'), '-S', `127.0.0.1:${port}`, join(SNIPPETS, 'php/serve.php')],
      env: {
        JWKS: url,
        JWKS_CACHE: join(directory, `jwks-${port}.json`),
        JWKS_MAX_AGE: String(maxAge),
        JWKS_COOLDOWN: String(cooldown),
        ROOM,
        COOKIE,
        PHP_CLI_SERVER_WORKERS: '4',
      },
    }),
  },
  {
    name: 'go',
    needs: 'go',
    async prepare(directory) {
      goBinary = join(directory, 'origin')
      const env = { GOFLAGS: '-mod=mod', GOPROXY: 'off', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' }
      const built = await run([command('go'), 'build', '-buildvcs=false', '-o', goBinary, '.'], {
        cwd: join(SNIPPETS, 'go'),
        env,
      })
      if (built.code !== 0) throw new Error(`docs/snippets/go does not compile:\n${built.stderr}`)
    },
    verifier: jwks => [goBinary, ...flags(jwks)],
    server: (url, port, _, times) => ({ command: [goBinary, ...serveFlags(url, port, times)] }),
  },
]

/** Runs a language's verifier on one value of the header. */
export async function verify(command: readonly string[], header: string): Promise<{ code: number; printed: unknown }> {
  const { code, lines } = await judge(command, header)
  return { code, printed: lines[0] }
}

/** Runs a language's verifier once, on many values of the header. Returns what it printed for each of them. */
export async function verifyAll(command: readonly string[], headers: readonly string[]): Promise<readonly unknown[]> {
  const { lines } = await judge(command, '-', JSON.stringify(headers))
  if (lines.length !== headers.length) throw new Error(`${lines.length} answers to ${headers.length} values`)
  return lines
}

async function judge(command: readonly string[], header: string, input = '') {
  const { code, stdout, stderr } = await run([...command, header], { input })
  if (stderr !== '' || stdout === '')
    throw new Error(`${command[0]} ended with ${code}: ${stderr || 'it printed nothing'}`)
  const lines: readonly unknown[] = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  return { code, lines }
}

/** A server process, started and answering. */
export class Running {
  readonly port: number
  readonly #child: Child
  #log = ''

  private constructor(port: number, child: Child) {
    this.port = port
    this.#child = child
    child.process.once('error', error => {
      this.#log += error
    })
    for (const stream of [child.process.stdout, child.process.stderr])
      stream?.on('data', text => {
        this.#log += text
      })
  }

  static async start(port: number, { command, env = {} }: Started): Promise<Running> {
    const [file = '', ...args] = command
    const child = startChild(file, args, { env: { ...quietEnv(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const running = new Running(port, child)
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

  stop(): Promise<void> {
    return this.#child.stop()
  }

  async #listening(): Promise<void> {
    const untilMs = Date.now() + START_TIMEOUT_MS
    while (!(await canConnect(this.port))) {
      if (this.#child.process.exitCode !== null || Date.now() > untilMs)
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

/**
 * Sends one request. Several values of a header go out as several lines.
 * Returns status 0 when the server cuts the connection.
 */
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
    child.stdin?.on('error', () => undefined) // The process may end before it has read everything.
    child.stdin?.end(input)
  })
}

/** The environment without proxies, because every server here is on this machine. */
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
