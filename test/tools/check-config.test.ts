import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { TEMPLATE_VARIABLES } from '../../tools/check-config/template.ts'
import { runTool } from '../support/node/tool.ts'

const scratch = mkdtempSync(join(tmpdir(), 'antesala-'))
const ROOM = '[[vars.ROOMS]]\nname = "shop"\nhost = "shop.example"\ntotal_active_users = 10\nnew_users_per_minute = 5\n'

/** Runs `check-config` on a wrangler.toml with these variables and the room, which has `more` settings. */
function check(more: string, variables = '') {
  const file = join(scratch, 'wrangler.toml')
  writeFileSync(file, `[vars]\n${variables}${ROOM}${more}`)
  return runTool('tools/check-config.ts', '--config', file)
}

/** Runs `check-config` on a whole file, with the suffix of its form. */
function checkWhole(text: string, suffix: string, flag = '--config') {
  const file = join(scratch, `whole.${suffix}`)
  writeFileSync(file, text)
  return runTool('tools/check-config.ts', flag, file)
}

const WORKER = `main = "src/index.ts"
routes = ["shop.example/*", { pattern = "admin.example", custom_domain = true }]
[[durable_objects.bindings]]
name = "ROOM"
class_name = "Room"
[[durable_objects.bindings]]
name = "DOOR"
class_name = "Door"
[[migrations]]
tag = "v1"
new_sqlite_classes = ["Room", "Door"]
[vars]
ADMIN_HOST = "admin.example"
TRUSTED_IP_HEADER = "CF-Connecting-IP"
`
const STAGING = ROOM.replaceAll('vars.', 'env.staging.vars.')
const BINDINGS = WORKER.slice(WORKER.indexOf('[[durable'), WORKER.indexOf('[[migr')).replaceAll('[[', '[[env.staging.')

afterAll(() => rmSync(scratch, { recursive: true }))

describe('check-config', () => {
  it('accepts a page over several lines, and names the line of a section that is not closed', async () => {
    expect(await check("custom_page_html = '''\n<h1>\n{{#a}}{{/a}}\n'''\n")).toMatchObject({ status: 0, stderr: '' })
    const { status, stderr } = await check("custom_page_html = '''\n<h1>\n{{#a}}\n'''\n")
    expect(status).toBe(1)
    expect(stderr).toContain(
      'ROOMS[0].custom_page_html must be a Mustache template: the section "a" is opened in line 2',
    )
  })

  it('warns when the rooms are too large for a variable at Cloudflare', async () => {
    expect((await check(`custom_page_html = "${'a'.repeat(4_000)}"`)).stdout).not.toContain('Cloudflare takes')
    const { status, stdout } = await check(`custom_page_html = "${'a'.repeat(5_000)}"`)
    expect(status).toBe(0)
    expect(stdout).toMatch(/advice: ROOMS: 5,\d{3} bytes as JSON, and Cloudflare takes 5 KB for a variable/)
  })

  it('warns when ORIGIN would not be used on Cloudflare', async () => {
    const { status, stdout } = await check('', 'ORIGIN = "https://origin.example"\nORIGIN_HOST_HEADER = "visitor"\n')
    expect(status).toBe(0)
    expect(stdout).toContain('advice: ORIGIN_HOST_HEADER = "visitor"')
  })

  it.each([
    ['CF-Connecting-IP', null],
    ['CF-Conecting-IP', 'CF-Conecting-IP is no usual header: CF-Connecting-IP may be meant'],
    ['X-Real-IP', 'Cloudflare does not set X-Real-IP, so visitors can write it themselves'],
    ['', 'no header is trusted, so no address is known'],
  ])('gives advice on the header of addresses: %j', async (name, advice) => {
    const { status, stdout } = await check('', `TRUSTED_IP_HEADER = "${name}"\n`)
    expect(status).toBe(0)
    if (advice === null) expect(stdout).not.toContain('TRUSTED_IP_HEADER')
    else expect(stdout).toContain(`advice: TRUSTED_IP_HEADER: ${advice}`)
  })

  it('spells out a preset in rules that the file may contain instead', async () => {
    const { status, stdout } = await check('bypass = [{ preset = "woocommerce" }]\n')
    expect(status).toBe(0)
    expect(stdout).toContain('rooms[0] (shop): bypass[0], the preset woocommerce, stands for\n')
    const rules = stdout.split('\n').filter(line => line.startsWith('  { '))
    expect(rules).toContain(
      '  { path = "/", methods = ["POST"], not = [{ query = { name = "add-to-cart" } }], query = { name = "wc-api", prefix = "wc_" } }',
    )
    const spelledOut = await check(`bypass = [\n${rules.join(',\n')}\n]\n`)
    expect(spelledOut).toMatchObject({ status: 0, stderr: '' })
    expect(spelledOut.stdout).not.toContain('stands for')
  })

  it('names a bypass that any visitor can forge', async () => {
    const { status, stdout } = await check('bypass = [{ cookie = { name = "wordpress_logged_in_1f" } }]\n')
    expect(status).toBe(0)
    expect(stdout).toContain('advice: rooms[0] (shop): bypass[0].cookie can be forged')
  })

  it('warns when ORIGIN_ADDRESSES lets the Workers of other zones by', async () => {
    const variables = (address: string) => `TRUSTED_IP_HEADER = "CF-Connecting-IP"\nORIGIN_ADDRESSES = ["${address}"]\n`
    expect((await check('', variables('2a06:98c0:3600::/48'))).stdout).toContain(
      'advice: ORIGIN_ADDRESSES: requests from the',
    )
    expect((await check('', variables('2001:db8::1'))).stdout).not.toContain('advice: ORIGIN_ADDRESSES')
  })

  it('lists the well-known files, unless they queue', async () => {
    expect((await check('')).stdout).toMatch(
      /rooms\[0\] \(shop\): without a place, .* load \/\.well-known\/\* \/robots\.txt /,
    )
    expect((await check('well_known = "queue"\n')).stdout).not.toContain('robots.txt')
  })
})

describe('check-config names the line, and the name that may be meant', () => {
  it.each([
    [
      'a misspelt setting',
      'new_user_per_minute = 5\n',
      ':7: ROOMS[0].new_user_per_minute is not a setting: did you mean new_users_per_minute?',
    ],
    [
      'one in a list',
      'bypass = [\n  { path = "/a" },\n  { pathh = "/b" },\n]\n',
      ':9: ROOMS[0].bypass[1].pathh is not a setting: did you mean path?',
    ],
    [
      'one in an object',
      '[vars.ROOMS.health]\ntarget = 5\nmod = "off"\n',
      ':9: ROOMS[0].health.mod is not a setting: did you mean mode?',
    ],
    [
      'one in a default',
      '[vars.ROOMS.cookie_attributes]\nsame_site = "lax"\n',
      ':8: ROOMS[0].cookie_attributes.same_site is not a setting: did you mean samesite?',
    ],
    ['a value', 'session_duration = 0\n', ':7: ROOMS[0].session_duration must be a number, 0.05 to 1,440, got 0'],
    ['a setting that is like no other', 'zzz = 1\n', ':7: ROOMS[0].zzz is not a setting\n'],
    ['an empty list', 'bypass = [{ path = "/a", methods = [] }]\n', ':7: ROOMS[0].bypass[0].methods must not be empty'],
    [
      'an upstream without paths',
      '[[vars.ROOMS.upstreams]]\nname = "pay"\npaths = []\n',
      ':9: ROOMS[0].upstreams[0].paths must have at least one path',
    ],
  ])('for %s', async (_what, more, words) => {
    const { status, stderr } = await check(more)
    expect(stderr).toContain(words)
    expect(status).toBe(1)
  })

  it('for a misspelt variable', async () => {
    const { status, stderr } = await check('', 'ADMN_HOST = "admin.example"\n')
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining(':2: ADMN_HOST is not a variable: did you mean ADMIN_HOST?'),
    ])
  })

  it('for a flag of the command line', async () => {
    const { status, stderr } = await runTool('tools/check-config.ts', '--romms', 'x')
    expect([status, stderr]).toEqual([2, expect.stringContaining("Unknown option '--romms': did you mean --rooms?")])
  })

  it.each([
    ['TOML', 'toml', '[vars]\nA = \n', ':2: ', 'line 2'],
    ['JSON', 'jsonc', '{\n  "vars": {\n    "A": ,\n  }\n}', ':3: ', 'line 3 is not JSON: value expected'],
  ])('for a file that is no %s', async (_what, suffix, text, _line, words) => {
    const { status, stderr } = await checkWhole(text, suffix)
    expect([status, stderr]).toEqual([1, expect.stringContaining(words)])
  })
})

describe('check-config reads', () => {
  const ROOMS = [{ name: 'shop', host: 'shop.example', total_active_users: 10, new_users_per_minute: 5 }]

  it('wrangler.jsonc with comments, and names lines in it', async () => {
    const text = JSON.stringify({ vars: { ROOMS } }, null, 2).replace('{', '{ // the shop')
    expect(await checkWhole(text, 'jsonc')).toMatchObject({ status: 0 })
    const { status, stderr } = await checkWhole(text.replace('"host"', '"hst"'), 'jsonc')
    expect(status).toBe(1)
    expect(stderr).toContain(':6: ROOMS[0].hst is not a setting: did you mean host?')
  })

  it('a rooms file with a schema for editors, and names lines in it', async () => {
    const text = JSON.stringify({ $schema: './rooms.schema.json', rooms: ROOMS }, null, 2)
    expect(await checkWhole(text, 'json', '--rooms')).toMatchObject({ status: 0 })
    const list = await checkWhole(JSON.stringify(ROOMS, null, 1).replace('"host"', '"hots"'), 'json', '--rooms')
    expect(list.stderr).toContain(':4: rooms[0].hots is not a setting: did you mean host?')
    const { stderr } = await checkWhole(text.replace('"rooms"', '"roms"'), 'json', '--rooms')
    expect(stderr).toContain('must be a JSON array of rooms, or an object with rooms')
  })

  it('a rooms file with pages in files, and names the lines of the setting and of the page', async () => {
    const withPage = (page: string, more = {}) => {
      writeFileSync(join(scratch, 'page.html'), page)
      const event = { name: 'sale', event_start_time: '2026-11-27T08:00Z', event_end_time: '2026-11-27T09:00Z' }
      const rooms = [{ ...ROOMS[0], events: [{ ...event, custom_page_file: './page.html' }], ...more }]
      return checkWhole(JSON.stringify(rooms, null, 1), 'json', '--rooms')
    }
    const own = { custom_page_file: 'page.html' }
    expect(await withPage('<h1>{{position}}</h1>', own)).toMatchObject({ status: 0, stderr: '' })
    const refused = async (page: string, more = {}) => (await withPage(page, { events: [], ...more })).stderr
    expect(await refused('<h1>\n{{#held}}', own)).toMatch(
      /:\d+: rooms\[0\]\.custom_page_file page\.html must be a Mustache template: the section "held" is opened in line 2/,
    )
    expect(await refused('x'.repeat(65_537), own)).toContain('must be a file of at most 65,536 bytes, got 65,537 in')
    expect(await refused('', { custom_page_file: 'none.html' })).toMatch(
      /custom_page_file cannot be read: ENOENT.*none/,
    )
    expect(await refused('', { custom_page_file: 7 })).toContain('custom_page_file must be the path of a file, got 7')
    expect(await refused('', { ...own, custom_page_html: '<p>' })).toContain('must not stand beside custom_page_html')
  })

  it('the environments of a file, which inherit no variables', async () => {
    const whole = `${WORKER}${ROOM}[env.staging]\n`
    const none = await checkWhole(whole, 'toml')
    expect([none.status, none.stderr]).toEqual([1, expect.stringContaining('env.staging.vars must be given')])
    const good = await checkWhole(`${whole}${BINDINGS}${STAGING}`, 'toml')
    expect([good.status, good.stderr]).toEqual([0, ''])
    expect(good.stdout).toContain('env.staging: rooms[0] (shop): without a place')
    const bad = await checkWhole(`${whole}${BINDINGS}${STAGING}queue_al = true\n`, 'toml')
    expect(bad.stderr).toMatch(/:\d+: env\.staging\.ROOMS\[0\]\.queue_al is not a setting: did you mean queue_all\?/)
  })
})

describe('check-config finds in a Worker', () => {
  it.each([
    [
      'a binding that is missing',
      WORKER.replace('name = "DOOR"', 'name = "DOORS"'),
      'durable_objects.bindings must have the binding DOOR of the class Door',
    ],
    [
      'another class',
      WORKER.replace('class_name = "Door"', 'class_name = "Dor"'),
      'must give DOOR the class_name Door, got Dor',
    ],
    [
      'a class without a migration',
      WORKER.replace(', "Door"]', ']'),
      'migrations must name Door in new_sqlite_classes',
    ],
  ])('%s', async (_what, worker, words) => {
    const { status, stderr } = await checkWhole(worker + ROOM, 'toml')
    expect([status, stderr]).toEqual([1, expect.stringContaining(words)])
  })

  it.each([
    ['no admin host', WORKER.replace('"admin.example"\nTRUSTED', '""\nTRUSTED'), '', 'ADMIN_HOST is empty'],
    [
      'a room without a route',
      WORKER.replace('shop.example/*', 'www.example/*'),
      '',
      'no route leads shop.example/ to the Worker',
    ],
    [
      'an admin host without a route',
      WORKER.replace('pattern = "admin.example"', 'pattern = "x.example"'),
      '',
      'ADMIN_HOST: no route leads admin.example',
    ],
    ['a secret in the file', `${WORKER}ADMIN_TOKENS = "[]"\n`, '', 'ADMIN_TOKENS is a secret'],
    ['a variable of no meaning', `${WORKER}COLOUR = "red"\n`, '', 'COLOUR is no variable of antesala'],
    [
      'a long session',
      WORKER,
      'session_duration = 600\n',
      'session_duration = 600 is in minutes: a place stays taken for 10 h',
    ],
    ['a bypass of everything', WORKER, 'bypass = [{ path = "/*" }]\n', 'bypass[0].path lets every request by'],
    [
      'a limit outside of the room',
      WORKER,
      'path = "/shop"\nprotected_paths = ["/checkout/*"]\n',
      'protected_paths: /checkout/* is outside of /shop',
    ],
    [
      'an unknown variable of the page',
      WORKER,
      'custom_page_html = "{{positon}} {{place}}"\n',
      '{{positon}} is no variable and stays empty: did you mean {{position}}?',
    ],
  ])('%s, as advice', async (_what, worker, more, words) => {
    const { status, stdout, stderr } = await checkWhole(worker + ROOM + more, 'toml')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain(words)
  })

  it('nothing where all is well', async () => {
    const { stdout } = await checkWhole(
      `${WORKER}${ROOM}bypass = [{ path = "/hooks/*" }]\nprotected_paths = ["/pay/*"]\n`,
      'toml',
    )
    expect(stdout).not.toContain('advice:')
  })

  it('no rooms at all', async () => {
    const { stdout } = await checkWhole(`${WORKER}ROOMS = []\n`, 'toml')
    expect(stdout).toContain('advice: ROOMS is empty: every request reaches the origin')
  })
})

describe('the variables of a page', () => {
  it('are those that a page is rendered with', () => {
    const code = readFileSync('src/edge/pages/custom.ts', 'utf8')
    const rendered = /const html = render\(\{(.*?)\n {2}\}\)/s.exec(code)?.[1] ?? ''
    const own = [...rendered.matchAll(/^ {4}(\w+)[:,]/gm)].map(([, name = '']) => name)
    expect(own.length).toBeGreaterThan(20)
    expect(own.filter(name => !TEMPLATE_VARIABLES.includes(name))).toEqual([])
  })
})
