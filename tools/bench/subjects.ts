/**
 * The benchmark compares the room with these Workers. They do less than the room, or work as other limiters do. All of
 * them run in one workerd, apart from the room.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { wranglerConfig } from '../support/build.ts'
import { startChild } from '../support/children.ts'
import { WORKERD } from '../support/workerd.ts'

export interface Ports {
  readonly origin: number
  readonly trivial: number
  readonly proxy: number
  readonly object: number
  readonly remote: number
  readonly store: number
}

/** A page of ordinary size, from memory. */
const ORIGIN = `const body = 'x'.repeat(1024)
export default { fetch() { return new Response(body, { headers: { 'Content-Type': 'text/html' } }) } }`

const TRIVIAL = `export default { fetch() { return new Response('hello') } }`

const PROXY = `export default { fetch(request, env) { return fetch(env.ORIGIN + new URL(request.url).pathname, request) } }`

/** One object call that writes one row, then the proxy: the least work that counts a visitor durably. */
const OBJECT = `import { DurableObject } from 'cloudflare:workers'
export class Counter extends DurableObject {
  constructor(state, env) {
    super(state, env)
    state.storage.sql.exec('CREATE TABLE IF NOT EXISTS visits (id TEXT PRIMARY KEY, at INTEGER)')
  }
  visit(id) {
    this.ctx.storage.sql.exec('INSERT INTO visits (id, at) VALUES (?, ?)', id, Date.now())
    return 'ok'
  }
}
export default { async fetch(request, env) {
  await env.COUNTER.getByName('one').visit(crypto.randomUUID())
  return fetch(env.ORIGIN + new URL(request.url).pathname, request)
} }`

/** The access pattern of limiters over a remote store: read the session, count the request, then the proxy. */
const REMOTE = `export default { async fetch(request, env) {
  const session = Math.floor(Math.random() * 5000)
  await (await fetch(env.STORE + '/get/session:' + session)).text()
  await (await fetch(env.STORE + '/incr/count:' + session)).text()
  return fetch(env.ORIGIN + new URL(request.url).pathname, request)
} }`

/** Starts the origin and the Workers compared with. Returns a function that stops them. */
export async function startSubjects(ports: Ports, storage: string): Promise<() => Promise<void>> {
  const scratch = mkdtempSync(join(tmpdir(), 'antesala-bench-'))
  mkdirSync(storage, { recursive: true })
  const date = wranglerConfig().compatibility_date
  // The origin has its own process, as it has in production.
  const stops = [
    start(scratch, 'origin', origin(ports, date)),
    start(scratch, 'subjects', subjects(ports, date, storage)),
  ]
  return async () => {
    await Promise.all(stops.map(stop => stop()))
    rmSync(scratch, { recursive: true, force: true })
  }
}

function start(scratch: string, name: string, config: string): () => Promise<void> {
  const file = join(scratch, `${name}.capnp`)
  writeFileSync(file, config)
  return startChild(WORKERD, ['serve', file], { stdio: ['ignore', 'ignore', 'inherit'] }).stop
}

function origin(ports: Ports, date: string): string {
  return config([worker('origin', ORIGIN, date)], [['origin', ports.origin]])
}

function subjects(ports: Ports, date: string, storage: string): string {
  const variables = `(name = "ORIGIN", text = "http://127.0.0.1:${ports.origin}"), (name = "STORE", text = "http://127.0.0.1:${ports.store}")`
  const counter = '(name = "COUNTER", durableObjectNamespace = (className = "Counter"))'
  const namespace =
    'durableObjectNamespaces = [(className = "Counter", uniqueKey = "bench", enableSql = true)], durableObjectStorage = (localDisk = "disk")'
  const network = '(name = "network", network = (allow = ["public", "private"]))'
  const outbound = 'globalOutbound = "network"'
  return config(
    [
      worker('trivial', TRIVIAL, date),
      worker('proxy', PROXY, date, `bindings = [${variables}], ${outbound}`),
      worker('object', OBJECT, date, `bindings = [${variables}, ${counter}], ${namespace}, ${outbound}`),
      worker('remote', REMOTE, date, `bindings = [${variables}], ${outbound}`),
      network,
      `(name = "disk", disk = (path = ${JSON.stringify(storage)}, writable = true))`,
    ],
    [
      ['trivial', ports.trivial],
      ['proxy', ports.proxy],
      ['object', ports.object],
      ['remote', ports.remote],
    ],
  )
}

function worker(name: string, script: string, date: string, more = ''): string {
  const modules = `modules = [(name = "main.js", esModule = ${JSON.stringify(script)})]`
  return `(name = "${name}", worker = (${modules}, compatibilityDate = "${date}"${more === '' ? '' : `, ${more}`}))`
}

function config(services: readonly string[], sockets: readonly (readonly [string, number])[]): string {
  const listening = sockets.map(
    ([name, port]) => `(name = "${name}", address = "127.0.0.1:${port}", http = (), service = "${name}")`,
  )
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [${services.join(',\n')}], sockets = [${listening.join(', ')}]);
`
}
