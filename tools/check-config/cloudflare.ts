/** The parts of a wrangler.toml beside its variables: bindings and routes, which a deployment needs. */
import type { Deployment } from '../../src/settings/deployment.ts'
import type { SettingsProblem } from '../../src/settings/messages.ts'
import { routesOf } from '../../src/settings/rooms.ts'

const OBJECTS = { ROOM: 'Room', DOOR: 'Door' } as const

/** A whole file, or one of its environments, as far as this file reads it. */
export interface Target {
  readonly main?: unknown
  readonly vars?: unknown
  readonly durable_objects?: { readonly bindings?: readonly { readonly name?: string; readonly class_name?: string }[] }
  readonly migrations?: readonly { readonly new_sqlite_classes?: readonly string[] }[]
  readonly routes?: readonly (string | { readonly pattern?: string })[]
  readonly route?: string | { readonly pattern?: string }
}

/** Returns what keeps a deployment from working. Migrations are inherited by environments, and bindings are not. */
export function bindingProblems(target: Target, whole: Target, at: string): readonly SettingsProblem[] {
  const bindings = target.durable_objects?.bindings ?? []
  const made = (whole.migrations ?? []).flatMap(({ new_sqlite_classes = [] }) => new_sqlite_classes)
  const problems: SettingsProblem[] = []
  for (const [name, className] of Object.entries(OBJECTS)) {
    const binding = bindings.find(one => one.name === name)
    const path = `${at}durable_objects.bindings`
    if (!binding)
      problems.push({
        path,
        message: `must have the binding ${name} of the class ${className}: without it nothing works`,
      })
    else if (binding.class_name !== className)
      problems.push({ path, message: `must give ${name} the class_name ${className}, got ${binding.class_name}` })
    if (!made.includes(className))
      problems.push({ path: 'migrations', message: `must name ${className} in new_sqlite_classes, once` })
  }
  return problems
}

/** Returns advice on hosts that no route of the file leads to the Worker. Without any route there is no advice. */
export function adviceOnRoutes(target: Target, deployment: Deployment): readonly string[] {
  const given = [...(target.routes ?? []), ...(target.route === undefined ? [] : [target.route])]
  const patterns = given.flatMap(route => (typeof route === 'string' ? [route] : route.pattern ? [route.pattern] : []))
  if (patterns.length === 0) return []
  const rooms = deployment.rooms.flatMap((room, index) =>
    routesOf(room)
      .filter(({ host, path }) => !host.startsWith('*') && !patterns.some(pattern => leads(pattern, host, path)))
      .map(({ host, path }) => `rooms[${index}] (${room.name}): no route leads ${host}${path} to the Worker`),
  )
  const { adminHost } = deployment
  const isLost = adminHost !== null && adminHost !== '*' && !patterns.some(pattern => leads(pattern, adminHost, '/.'))
  return [...rooms, ...(isLost ? [`ADMIN_HOST: no route leads ${adminHost} to the Worker`] : [])]
}

/** Whether a route of Cloudflare takes requests of this host, at this path or below it. */
function leads(pattern: string, host: string, path: string): boolean {
  const [of = '', ...rest] = pattern.replace(/^https?:\/\//, '').split('/')
  const isHost = of.startsWith('*') ? host.endsWith(of.slice(1)) || host === of.replace(/^\*\.?/, '') : of === host
  // A custom domain has no path.
  const prefix = rest.length === 0 ? '/' : `/${rest.join('/')}`.replace(/\*$/, '')
  return isHost && (path.startsWith(prefix) || `${path}/`.startsWith(prefix))
}
