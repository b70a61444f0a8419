import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import { describe, expect, it } from 'vitest'

const SRC = new URL('../../src', import.meta.url).pathname

/** The folders of src/ that each folder may import. `core` imports none. The two objects never import each other. */
const LAYERS: Record<string, readonly string[]> = {
  core: [],
  tokens: ['core'],
  settings: ['core'],
  runtime: ['core'],
  rehearsal: ['core', 'settings'],
  door: ['core', 'settings', 'runtime'],
  room: ['core', 'settings', 'runtime'],
  admin: ['core', 'settings', 'runtime'],
  edge: ['core', 'settings', 'runtime', 'tokens', 'admin'],
}

/** Within core and edge, each part may import the parts before it. A part with a suffix is a single file. */
const PARTS: Record<string, readonly string[]> = {
  core: [
    'own.ts',
    'hash.ts',
    'gcra.ts',
    'timing.ts',
    'path.ts',
    'query.ts',
    'tally.ts',
    'language-tags.ts',
    'ticket.ts',
    'session.ts',
    'line',
    'permits',
    'events',
    'health',
    'history',
    'alerts',
    'protocol',
    'place',
    'limits',
    'door',
    'room',
  ],
  edge: [
    'mark.ts',
    'problem.ts',
    'request',
    'texts',
    'limits',
    'room-client',
    'first-use',
    'gate',
    'origin',
    'pages',
    'answer',
    'control',
    'edge.ts',
  ],
}

/** The most files in one folder, so that a reader can take them in. */
const FILES_MAX = 15

interface Import {
  readonly file: string
  readonly from: string
}

/** Lists all imports of a folder, type imports included. */
function importsIn(folder: string): Import[] {
  return filesIn(folder).flatMap(file =>
    [
      ...readFileSync(join(folder, file), 'utf8').matchAll(
        /^(?:import|export)[^'"]*?from '([^']+)'|^import '([^']+)'/gm,
      ),
    ].map((match): Import => ({ file, from: match[1] ?? match[2] ?? '' })),
  )
}

const imports = importsIn(SRC)

describe('layers', () => {
  it.each(Object.keys(LAYERS))('let %s import only its listed folders', layer => {
    const foreign = imports
      .filter(({ file, from }) => file.startsWith(`${layer}/`) && from.startsWith('../'))
      // This leaves out text modules: the files of the pages, and files of packages that pages load.
      .filter(({ from }) => !/\/(static|node_modules)\//.test(from))
      .filter(
        ({ file, from }) => ![layer, ...(LAYERS[layer] ?? [])].includes(join(dirname(file), from).split('/')[0] ?? ''),
      )
    expect(foreign).toEqual([])
  })

  it.each(Object.keys(PARTS))('let the parts of %s import only parts before them', layer => {
    const order = PARTS[layer] ?? []
    const rank = (path: string) => order.indexOf(path.split('/')[1] ?? '')
    const backwards = imports
      .filter(({ file, from }) => file.startsWith(`${layer}/`) && from.startsWith('.'))
      .map(({ file, from }) => ({ file, target: join(dirname(file), from) }))
      .filter(({ target }) => target.startsWith(`${layer}/`))
      .filter(({ file, target }) => rank(file) < 0 || rank(target) > rank(file))
    expect(backwards).toEqual([])
  })

  it.each(['src', 'tools'])('let no file of %s import itself by way of others', folder => {
    const root = new URL(`../../${folder}`, import.meta.url).pathname
    const arrows = new Map<string, string[]>()
    for (const { file, from } of importsIn(root).filter(({ from }) => from.startsWith('.')))
      arrows.set(file, [...(arrows.get(file) ?? []), join(dirname(file), from)])
    expect(circleIn(arrows)).toEqual([])
  })

  it('export each name from one file only, so that it means one thing', () => {
    const homes = new Map<string, string[]>()
    for (const file of filesIn(SRC)) {
      const exported = readFileSync(join(SRC, file), 'utf8').matchAll(/^export (?:async )?(?!default)[a-z]+ (\w+)/gm)
      for (const name of new Set([...exported].map(match => match[1] ?? '')))
        homes.set(name, [...(homes.get(name) ?? []), file])
    }
    expect([...homes].filter(([, files]) => files.length > 1)).toEqual([])
  })

  it('have at most 15 files in each folder of src', () => {
    expect(crowdedIn(SRC)).toEqual([])
  })

  it('keep packages, clock, randomness and I/O out of core', () => {
    const packages = imports.filter(({ file, from }) => file.startsWith('core/') && !from.startsWith('.'))
    expect(packages).toEqual([])
    for (const file of filesIn(SRC).filter(name => name.startsWith('core/'))) {
      const code = readFileSync(join(SRC, file), 'utf8')
      expect(code, file).not.toMatch(
        /Date\.now|new Date|Math\.random|performance\.|crypto\.|fetch\(|setTimeout|console\./,
      )
    }
  })

  it('include every folder of src', () => {
    const folders = readdirSync(SRC, { withFileTypes: true }).filter(entry => entry.isDirectory())
    expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(LAYERS).sort())
  })

  it('let only settings read the environment', () => {
    for (const file of filesIn(SRC).filter(name => !name.startsWith('settings/'))) {
      const code = readFileSync(join(SRC, file), 'utf8')
      expect(code, file).not.toMatch(
        /\benv\.(ROOMS|ORIGIN|ADMIN_HOST|ADMIN_TOKEN|CONTROL_PREFIX|TRUSTED_IP_HEADER|DEBUG)\b/,
      )
    }
  })
})

/** Returns the files of one circle of imports, or an empty list. */
function circleIn(arrows: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  const from = (file: string, path: readonly string[]): string[] => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return []
    for (const next of arrows.get(file) ?? []) {
      const circle = from(next, [...path, file])
      if (circle.length > 0) return circle
    }
    done.add(file)
    return []
  }
  for (const file of arrows.keys()) {
    const circle = from(file, [])
    if (circle.length > 0) return circle
  }
  return []
}

function crowdedIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).length
  const below = entries.filter(entry => entry.isDirectory()).flatMap(({ name }) => crowdedIn(join(folder, name)))
  return files > FILES_MAX ? [`${folder}: ${files}`, ...below] : below
}

function filesIn(folder: string, below = ''): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap(entry => {
    const name = join(below, entry.name)
    if (entry.isDirectory()) return filesIn(folder, name)
    return name.endsWith('.ts') ? [name] : []
  })
}
