/** The configuration of plain workerd, in its own language (Cap'n Proto text). It contains the secrets. */
import { allowsPrivate } from '../../src/settings/admin/receivers.ts'
import type { Bundle } from './bundle.ts'
import { LOOPBACK } from './listen.ts'
import type { ServeOptions } from './options.ts'

export function workerdConfig(bundle: Bundle, options: ServeOptions, storage: string): string {
  const { compatibilityDate, compatibilityFlags, modules, vars } = bundle
  const isolates = options.isolates ?? 1
  const variables: Record<string, unknown> = {
    ...vars,
    // The visitor's address comes from the connection, never from a header.
    TRUSTED_IP_HEADER: '',
    ADMIN_HOST: '*',
    ...options.variables,
    // Plain workerd has no jurisdictions. If the Worker requested one, workerd would throw.
    JURISDICTION: '',
    ...(options.rooms === undefined ? {} : { ROOMS: options.rooms }),
    ORIGIN: options.origin,
    ROOM_KEYS: options.roomKeys,
    ADMIN_TOKEN: options.adminToken,
  }
  const code = modules.map(({ name, path, kind }) => `(name = ${text(name)}, ${kind} = embed ${text(path)})`)
  const flags = compatibilityFlags.map(text).join(', ')
  const common = `modules = [${code.join(', ')}], compatibilityDate = ${text(compatibilityDate)}, compatibilityFlags = [${flags}], globalOutbound = "network"`
  const bindings = (objects: string | null) =>
    [
      ...Object.entries(variables).map(([name, value]) => `(name = ${text(name)}, ${binding(value)})`),
      ...['Room', 'Door'].map(name => {
        const service = objects === null ? '' : `, serviceName = ${text(objects)}`
        return `(name = ${text(name.toUpperCase())}, durableObjectNamespace = (className = ${text(name)}${service}))`
      }),
      '(name = "ORIGIN_SERVICE", service = "origin")',
      '(name = "ALERT_SERVICE", service = "alerts")',
    ].join(', ')
  const namespaces = ['Room', 'Door']
    .map(name => `(className = ${text(name)}, uniqueKey = ${text(`antesala-${name.toLowerCase()}`)}, enableSql = true)`)
    .join(', ')
  const edges = Array.from({ length: isolates }, (_, index) => `edge${index}`)
  const services = [
    `(name = "objects", worker = (${common}, bindings = [${bindings(null)}], durableObjectNamespaces = [${namespaces}], durableObjectStorage = (localDisk = "storage")))`,
    ...edges.map(name => `(name = ${text(name)}, worker = (${common}, bindings = [${bindings('objects')}]))`),
    '(name = "network", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true)))',
    // Alerts may go to an address that a name leads to, so the runtime decides after it has looked up the name.
    `(name = "alerts", network = (allow = [${allowsPrivate(variables) ? '"public", "private"' : '"public"'}], tlsOptions = (trustBrowserCas = true)))`,
    `(name = "origin", external = ${external(options.origin)})`,
    `(name = "storage", disk = (path = ${text(storage)}, writable = true))`,
  ]
  if (isolates > 1) services.push(front(edges, compatibilityDate))
  const entry = isolates > 1 ? 'front' : 'edge0'
  const http = options.behindProxy ? 'forwardedProtoHeader = "X-Forwarded-Proto"' : ''
  const { host = LOOPBACK, port } = options
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${services.join(',\n    ')}
  ],
  sockets = [(name = "http", address = ${text(address)}, http = (${http}), service = ${text(entry)})]
);
`
}

/** Passes requests to the isolates in turn, as the machines of a data centre would receive them. */
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

/** Cap'n Proto text escapes strings as JSON does, but for \\u: those characters are written as UTF-8 bytes. */
function text(value: string): string {
  const escaped = value.replaceAll(/[\\"]/g, match => `\\${match}`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped here
  return `"${escaped.replaceAll(/[\x00-\x1f\x7f]/g, match => `\\x${match.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`
}
