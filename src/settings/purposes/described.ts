/** The schemas of settings with the purpose of each, for forms, editors and other programs. */
import * as z from 'zod'
import { ROOMS_MAX } from '../rooms.ts'
import { overridesSchema, roomSchema } from '../schema.ts'
import { SITE } from './site.ts'
import { VISITORS } from './visitors.ts'

/** The parts of a JSON Schema that this file reads. */
interface Node {
  description?: string
  readonly properties?: Readonly<Record<string, Node>>
  readonly items?: Node
  readonly anyOf?: readonly Node[]
  readonly oneOf?: readonly Node[]
}

/** A group of settings with its title. */
export interface SettingsGroup {
  readonly title: string
  readonly settings: readonly string[]
}

/** A setting of rooms files alone: the tools read the file, and make a `custom_page_html` of it. */
const CUSTOM_PAGE_FILE = {
  type: 'string',
  description: 'A file with the page, beside the rooms file; not for wrangler.toml',
}

/** Returns the JSON Schema of a change. Each setting in it has its purpose as `description`, without Markdown links. */
export function describedSchema(): object {
  return described(overridesSchema)
}

/**
 * Returns the JSON Schema of a rooms file. The file is a list of rooms, or an object that contains the list and the
 * address of this schema.
 */
export function roomsFileSchema(): object {
  const { $schema, ...room } = described(roomSchema)
  for (const node of [room as Node, ...nodesAt([room as Node], ['events[]'])])
    Object.assign(node.properties ?? {}, { custom_page_file: CUSTOM_PAGE_FILE })
  const rooms = { type: 'array', maxItems: ROOMS_MAX, items: { $ref: '#/$defs/room' } }
  const inObject = { type: 'object', required: ['rooms'], additionalProperties: false }
  return {
    $schema,
    title: 'Rooms of antesala',
    anyOf: [rooms, { ...inObject, properties: { $schema: { type: 'string' }, rooms } }],
    $defs: { room },
  }
}

function described(settings: z.ZodType): { readonly $schema?: string | undefined } {
  const schema = z.toJSONSchema(settings, { unrepresentable: 'any', io: 'input' })
  for (const { prefix, purposes } of Object.values({ ...VISITORS, ...SITE }))
    for (const [path, purpose] of Object.entries(purposes))
      for (const node of nodesAt([schema as Node], (prefix + path).split('.'))) node.description = plain(purpose)
  return schema
}

/** Returns the groups in which the documentation lists the live settings. Each setting is in one group. */
export function settingsGroups(): readonly SettingsGroup[] {
  const groups = Object.values({ ...VISITORS, ...SITE })
  /** Settings that have a separate group, though another group mentions them, too. */
  const own = new Set(groups.map(({ prefix }) => topOf(prefix)))
  return groups.flatMap(({ title, prefix, purposes }) => {
    const names = new Set(Object.keys(purposes).map(path => topOf(prefix + path)))
    const settings = [...names].filter(
      name => Object.hasOwn(overridesSchema.shape, name) && (prefix !== '' || !own.has(name)),
    )
    return settings.length === 0 ? [] : [{ title, settings }]
  })
}

function topOf(path: string): string {
  return path.split(/[.[]/)[0] ?? ''
}

/**
 * Returns the nodes at a path such as `rate_limits[].match.paths`. If a value may have several forms, any of them may
 * contain the path.
 */
function nodesAt(nodes: readonly Node[], path: readonly string[]): readonly Node[] {
  const [step, ...rest] = path
  if (step === undefined) return nodes
  const name = step.replace('[]', '')
  const found = nodes.flatMap(formsOf).flatMap(({ properties }) => {
    const node = properties && Object.hasOwn(properties, name) ? properties[name] : undefined
    return node ? [node] : []
  })
  if (!step.endsWith('[]')) return nodesAt(found, rest)
  return nodesAt(
    found.flatMap(formsOf).flatMap(({ items }) => (items ? [items] : [])),
    rest,
  )
}

function formsOf(node: Node): readonly Node[] {
  return [node, ...(node.anyOf ?? []), ...(node.oneOf ?? [])]
}

/** Removes links, because they lead nowhere outside of the documentation. */
function plain(markdown: string): string {
  return markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
}
