import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path/posix'
import { describe, expect, it } from 'vitest'

const SRC = new URL('../../src', import.meta.url).pathname

/** Which folders of src/ each folder may import. `core` imports nothing; objects never see each other's insides. */
const LAYERS: Record<string, readonly string[]> = {
  core: [],
  tokens: ['core'],
  settings: ['core'],
  storage: ['core'],
  timing: [],
  door: ['core', 'settings', 'storage', 'timing'],
  room: ['core', 'settings', 'storage', 'timing'],
  admin: ['core', 'settings', 'timing'],
  edge: ['core', 'settings', 'timing', 'tokens', 'admin'],
}

interface Import {
  readonly file: string
  readonly from: string
}

const imports = filesIn(SRC).flatMap(file =>
  [
    ...readFileSync(join(SRC, file), 'utf8').matchAll(/^(?:import|export)[^'"]*?from '([^']+)'|^import '([^']+)'/gm),
  ].map((match): Import => ({ file, from: match[1] ?? match[2] ?? '' })),
)

describe('layers', () => {
  it.each(Object.keys(LAYERS))('%s imports only what it may', layer => {
    const foreign = imports
      .filter(({ file, from }) => file.startsWith(`${layer}/`) && from.startsWith('../'))
      .filter(({ from }) => !from.includes('/static/'))
      .filter(
        ({ file, from }) => ![layer, ...(LAYERS[layer] ?? [])].includes(join(dirname(file), from).split('/')[0] ?? ''),
      )
    expect(foreign).toEqual([])
  })

  it('core uses no package, no clock, no randomness and no I/O', () => {
    const packages = imports.filter(({ file, from }) => file.startsWith('core/') && !from.startsWith('.'))
    expect(packages).toEqual([])
    for (const file of filesIn(SRC).filter(name => name.startsWith('core/'))) {
      const code = readFileSync(join(SRC, file), 'utf8')
      expect(code, file).not.toMatch(
        /Date\.now|new Date|Math\.random|performance\.|crypto\.|fetch\(|setTimeout|console\./,
      )
    }
  })

  it('knows every folder of src', () => {
    const folders = readdirSync(SRC, { withFileTypes: true }).filter(entry => entry.isDirectory())
    expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(LAYERS).sort())
  })

  it('reads the environment in settings only', () => {
    for (const file of filesIn(SRC).filter(name => !name.startsWith('settings/'))) {
      const code = readFileSync(join(SRC, file), 'utf8')
      expect(code, file).not.toMatch(
        /\benv\.(ROOMS|ORIGIN|ADMIN_HOST|ADMIN_TOKEN|CONTROL_PREFIX|TRUSTED_IP_HEADER|DEBUG)\b/,
      )
    }
  })
})

function filesIn(folder: string, below = ''): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap(entry => {
    const name = join(below, entry.name)
    if (entry.isDirectory()) return filesIn(folder, name)
    return name.endsWith('.ts') ? [name] : []
  })
}
