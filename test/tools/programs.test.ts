/** `npm test` on a machine where programs are missing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  findProgram,
  howToInstall,
  neededOn,
  needProgram,
  PROGRAMS,
  type ProgramName,
} from '../../tools/testing/programs.ts'

const NAMES = Object.keys(PROGRAMS) as ProgramName[]
/** No file has this name. */
const NOWHERE = '/nowhere/chromium'

describe('the table of programs', () => {
  it.each(NAMES)('contains how to install %s on every system', name => {
    expect(howToInstall(name, 'debian')).toMatch(/^(sudo )?apt-get install -y --no-install-recommends [a-z]/)
    expect(howToInstall(name, 'ubuntu')).toMatch(/^((sudo )?apt-get install -y|npx playwright-core install) /)
    expect(howToInstall(name, 'macos')).toMatch(/^(brew|python3 -m pip) install /)
    expect(howToInstall(name, 'other')).toBe(howToInstall(name, 'debian'))
  })

  it('installs a Chromium on Ubuntu that is not a snap', () => {
    expect(howToInstall('chromium', 'ubuntu')).toBe('npx playwright-core install --with-deps chromium')
  })

  it('has a Firefox for tests where a package of it can be installed', () => {
    expect(neededOn('debian')).toEqual(['chromium', 'firefox', 'python', 'php', 'go', 'nginx'])
    expect(neededOn('ubuntu')).toEqual(['chromium', 'python', 'php', 'go', 'nginx'])
  })

  it('is the only place that names their packages', () => {
    const packages = NAMES.flatMap(name => PROGRAMS[name].debian)
    for (const file of ['.ci/run', 'CONTRIBUTING.md', 'README.md', '.github/workflows/ci.yml']) {
      const text = readFileSync(file, 'utf8')
      expect(packages.filter(name => name.includes('-') && text.includes(name))).toEqual([])
      expect(text).not.toMatch(/apt-get/)
    }
  })
})

describe('a program that is named by its variable', () => {
  it('is the only one that is tried, and the error names the variable if it does not run', async () => {
    const before = process.env.CHROMIUM
    process.env.CHROMIUM = NOWHERE
    try {
      expect(await findProgram('chromium')).toBeNull()
      await expect(needProgram('chromium')).rejects.toThrow(
        `chromium is not on this machine: correct CHROMIUM=${NOWHERE}, which does not run`,
      )
      process.env.CHROMIUM = ''
      expect(howToInstall('chromium', 'debian')).toContain('apt-get install')
    } finally {
      if (before === undefined) delete process.env.CHROMIUM
      else process.env.CHROMIUM = before
    }
  })
})

describe('npm test without a program', () => {
  const FILE = 'test/browser/custom-page.test.ts'

  it.each([
    ['', 0],
    ['true', 1],
  ])('lists the skipped tests and how to get the program, and with CI=%j ends with code %i', async (ci, code) => {
    const child = spawn(process.execPath, ['tools/test.ts', '--project', 'process', FILE], {
      env: { ...process.env, CHROMIUM: NOWHERE, CI: ci },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', text => (printed += text))
    const [status] = await once(child, 'close')
    const [, list = ''] = printed.split('Skipped, because chromium is missing')
    expect(
      list.match(/^ {2}test\/browser\/custom-page.test.ts > a page of the operator with(out)? scripts > /gm),
    ).toHaveLength(2)
    expect(list).toContain(`To run these 2 tests: correct CHROMIUM=${NOWHERE}, which does not run`)
    expect(status).toBe(code)
  })
})
