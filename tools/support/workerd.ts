/** The built Worker in plain workerd: no node in the request path. Used by `serve`, tests and benchmarks. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, isStale, modules, wranglerConfig } from './build.ts'

export interface ServeOptions {
  readonly port: number
  /** Where admitted requests go. */
  readonly origin: string
  /** Rooms instead of those of wrangler.toml. */
  readonly rooms?: unknown
  /** A directory, or `memory`. */
  readonly storage: string
  readonly roomKeys: string
  /** As in the settings, where they name one. */
  readonly controlPrefix?: string
  readonly adminToken: string
  /** Copies of the Worker, each an isolate of its own, over one set of objects. */
  readonly isolates?: number
  /** A proxy in front says in X-Forwarded-Proto by which scheme the visitor came. */
  readonly behindProxy?: boolean
  readonly variables?: Readonly<Record<string, string>>
}

export interface Served {
  readonly url: string
  readonly process: ChildProcess
  stop(): Promise<void>
}

/** The runtime's own executable, not its wrapper in node: signals must reach it. */
const WORKERD = (createRequire(import.meta.url)('workerd') as { default: string }).default
const READY_WITHIN_MS = 15_000

/** Starts workerd and waits until it answers. Throws with its words when it does not. */
export async function startServe(options: ServeOptions): Promise<Served> {
  if (isStale()) await build()
  const scratch = mkdtempSync(join(tmpdir(), 'antesala-'))
  const configFile = join(scratch, 'workerd.capnp')
  // The runtime's own in-memory storage has no SQL: memory is a directory that goes away.
  const storage = options.storage === 'memory' ? mkdtempSync(join(memoryDisk(), 'antesala-')) : options.storage
  mkdirSync(storage, { recursive: true })
  writeFileSync(configFile, workerdConfig(options, storage), { mode: 0o600 })
  const args = ['serve', '--import-path=/', configFile]
  const child = spawn(WORKERD, args, { stdio: ['ignore', 'inherit', 'pipe'] })
  let words = ''
  child.stderr?.on('data', chunk => {
    words = (words + chunk).slice(-4_000)
    process.stderr.write(chunk)
  })
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const stop = async () => {
    if (child.exitCode === null) child.kill('SIGTERM')
    const hard = setTimeout(() => child.kill('SIGKILL'), 500)
    await ended
    clearTimeout(hard)
    rmSync(scratch, { recursive: true, force: true })
    if (options.storage === 'memory') rmSync(storage, { recursive: true, force: true })
  }
  const url = `http://localhost:${options.port}`
  try {
    await untilAnswering(`${url}${options.controlPrefix ?? '/.waiting-room'}/healthz`, child)
  } catch (error) {
    await stop()
    throw new Error(`workerd did not start on port ${options.port}: ${words || (error as Error).message}`)
  }
  return { url, process: child, stop }
}

/** Linux keeps /dev/shm in memory: commits cost nothing there. */
function memoryDisk(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
}

async function untilAnswering(url: string, child: ChildProcess): Promise<void> {
  const endMs = Date.now() + READY_WITHIN_MS
  while (Date.now() < endMs) {
    if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}`)
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(1_000) })
      if (response.ok) return
    } catch {
      // Not listening yet.
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error(`no answer from ${url} within ${READY_WITHIN_MS / 1_000} s`)
}

/** The configuration in workerd's own language (Cap'n Proto text). */
function workerdConfig(options: ServeOptions, storage: string): string {
  const { compatibility_date, compatibility_flags = [], vars } = wranglerConfig()
  const isolates = options.isolates ?? 1
  const variables: Record<string, unknown> = {
    ...vars,
    // The connection says the visitor's address; no header does.
    TRUSTED_IP_HEADER: '',
    ADMIN_HOST: '*',
    ...options.variables,
    ...(options.rooms === undefined ? {} : { ROOMS: options.rooms }),
    ORIGIN: options.origin,
    ROOM_KEYS: options.roomKeys,
    ADMIN_TOKEN: options.adminToken,
  }
  const code = modules().map(({ name, path, kind }) => `(name = ${text(name)}, ${kind} = embed ${text(path)})`)
  const flags = compatibility_flags.map(text).join(', ')
  const common = `modules = [${code.join(', ')}], compatibilityDate = ${text(compatibility_date)}, compatibilityFlags = [${flags}], globalOutbound = "network"`
  const bindings = (objects: string | null) =>
    [
      ...Object.entries(variables).map(([name, value]) => `(name = ${text(name)}, ${binding(value)})`),
      ...['Room', 'Door'].map(name => {
        const service = objects === null ? '' : `, serviceName = ${text(objects)}`
        return `(name = ${text(name.toUpperCase())}, durableObjectNamespace = (className = ${text(name)}${service}))`
      }),
      '(name = "ORIGIN_SERVICE", service = "origin")',
    ].join(', ')
  const namespaces = ['Room', 'Door']
    .map(name => `(className = ${text(name)}, uniqueKey = ${text(`antesala-${name.toLowerCase()}`)}, enableSql = true)`)
    .join(', ')
  const edges = Array.from({ length: isolates }, (_, index) => `edge${index}`)
  const services = [
    `(name = "objects", worker = (${common}, bindings = [${bindings(null)}], durableObjectNamespaces = [${namespaces}], durableObjectStorage = (localDisk = "storage")))`,
    ...edges.map(name => `(name = ${text(name)}, worker = (${common}, bindings = [${bindings('objects')}]))`),
    '(name = "network", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true)))',
    `(name = "origin", external = ${external(options.origin)})`,
    `(name = "storage", disk = (path = ${text(storage)}, writable = true))`,
  ]
  if (isolates > 1) services.push(front(edges, compatibility_date))
  const entry = isolates > 1 ? 'front' : 'edge0'
  const http = options.behindProxy ? 'forwardedProtoHeader = "X-Forwarded-Proto"' : ''
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${services.join(',\n    ')}
  ],
  sockets = [(name = "http", address = "*:${options.port}", http = (${http}), service = ${text(entry)})]
);
`
}

/** Hands requests to the isolates in turn, as a data centre's machines would get them. */
function front(edges: readonly string[], compatibilityDate: string): string {
  const script =
    'let turn = 0\nexport default { fetch(request, env) { return env["E" + (turn++ % env.EDGES)].fetch(request) } }'
  const bindings = edges.map((name, index) => `(name = "E${index}", service = ${text(name)})`)
  bindings.push(`(name = "EDGES", json = "${edges.length}")`)
  return `(name = "front", worker = (modules = [(name = "front.js", esModule = ${text(script)})], compatibilityDate = ${text(compatibilityDate)}, bindings = [${bindings.join(', ')}]))`
}

function external(origin: string): string {
  const { protocol, hostname, port, host } = new URL(origin)
  if (protocol === 'http:') return `(address = ${text(port ? host : `${host}:80`)}, http = ())`
  const address = port ? host : `${host}:443`
  return `(address = ${text(address)}, https = (certificateHost = ${text(hostname)}, options = (), tlsOptions = (trustBrowserCas = true)))`
}

function binding(value: unknown): string {
  return typeof value === 'string' ? `text = ${text(value)}` : `json = ${text(JSON.stringify(value))}`
}

/** Cap'n Proto text strings escape as JSON's do, but for \\u: those are written as UTF-8 bytes. */
function text(value: string): string {
  const escaped = value.replaceAll(/[\\"]/g, match => `\\${match}`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped here
  return `"${escaped.replaceAll(/[\x00-\x1f\x7f]/g, match => `\\x${match.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`
}
