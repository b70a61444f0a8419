import { describe, expect, it } from 'vitest'
import { readDeployment } from '../../src/settings/deployment.ts'
import type { SettingsError } from '../../src/settings/messages.ts'
import { hostHeaderOf, isPrivate, originOf } from '../../tools/serving/origin.ts'
import { type Given, UsageError } from '../../tools/support/cli.ts'

const ROOMS = [{ name: 'shop', host: '*', total_active_users: 1, new_users_per_minute: 1 }]
const given = (flags: Record<string, string>) => ({ ...flags, _: [] }) as unknown as Given

/** Returns the message that refuses an address as ORIGIN, or null if it is accepted. */
function refusedAsVariable(ORIGIN: string): string | null {
  try {
    readDeployment({ ROOMS, ORIGIN })
    return null
  } catch (error) {
    return (error as SettingsError).message
  }
}

describe('--origin', () => {
  it.each([
    'https://h/base/path',
    'https://h/?q',
    'https://h/#top',
    'https://user@h',
    'ftp://h',
    'h',
    'http://',
    'https://h',
    'http://127.0.0.1:8080/',
    'http://[::1]:8080',
  ])('treats %s like ORIGIN does', origin => {
    const refused = refusedAsVariable(origin)
    if (refused === null) expect(originOf(given({ origin }), {})).toBe(new URL(origin).origin)
    else {
      const flag = () => originOf(given({ origin }), {})
      expect(flag).toThrow(UsageError)
      expect(flag).toThrow(refused.replace('ORIGIN', '--origin'))
    }
  })

  it('takes precedence over ORIGIN', () => {
    const vars = { ORIGIN: 'https://configured.example' }
    expect(originOf(given({}), vars)).toBe('https://configured.example')
    expect(originOf(given({ origin: 'https://flag.example' }), vars)).toBe('https://flag.example')
    expect(originOf(given({}), { ORIGIN: '' })).toBeNull()
  })
})

describe('the Host that an origin sees', () => {
  it.each([
    ['http://127.0.0.1:8080', true],
    ['http://localhost:8080', true],
    ['http://[::1]:8080', true],
    ['http://10.0.0.7', true],
    ['http://172.20.0.3', true],
    ['http://192.168.1.4', true],
    ['http://[fd00::7]', true],
    ['http://[::ffff:10.0.0.7]', true],
    ['http://wordpress:80', true],
    ['http://web.internal', true],
    ['https://origin.example', false],
    ['https://203.0.113.7', true],
    ['https://8.8.8.8', false],
    ['https://[2a00:1450::1]', false],
  ])("at %s is the visitor's by default: %s", (origin, isVisitors) => {
    expect(isPrivate(origin)).toBe(isVisitors)
    expect(hostHeaderOf(given({}), {}, origin)).toBe(isVisitors ? 'visitor' : 'origin')
  })

  it('is set by the flag, or else by the configuration', () => {
    const vars = { ORIGIN_HOST_HEADER: 'origin' }
    expect(hostHeaderOf(given({}), vars, 'http://127.0.0.1')).toBe('origin')
    expect(hostHeaderOf(given({ 'origin-host-header': 'visitor' }), vars, 'https://origin.example')).toBe('visitor')
    expect(() => hostHeaderOf(given({ 'origin-host-header': 'both' }), vars, 'http://h')).toThrow(
      '--origin-host-header must be visitor or origin, got "both"',
    )
  })
})
