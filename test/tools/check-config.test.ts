import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runTool } from '../support/node/tool.ts'

const scratch = mkdtempSync(join(tmpdir(), 'antesala-'))
const ROOM = '[[vars.ROOMS]]\nname = "shop"\nhost = "shop.example"\ntotal_active_users = 10\nnew_users_per_minute = 5\n'

/** Runs `check-config` on a wrangler.toml with these variables and the room, which has `more` settings. */
function check(more: string, variables = '') {
  const file = join(scratch, 'wrangler.toml')
  writeFileSync(file, `[vars]\n${variables}${ROOM}${more}`)
  return runTool('tools/check-config.ts', '--config', file)
}

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
