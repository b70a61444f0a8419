import { describe, expect, it } from 'vitest'
import { adviceOnTrustedHeader as adviceOn } from '../../src/settings/trusted-header.ts'

describe('advice on the header of addresses', () => {
  it.each([
    ['CF-Connecting-IP', 'cloudflare'],
    ['cf-connecting-ip', 'cloudflare'],
    ['X-Real-IP', 'elsewhere'],
    ['x-client-ip', 'elsewhere'],
    [null, 'elsewhere'],
  ] as const)('is not given for %s (%s)', (name, platform) => {
    expect(adviceOn(name, platform)).toBeNull()
  })

  it.each([
    [null, 'cloudflare', 'no address is known'],
    [
      'CF-Connecting-IP',
      'elsewhere',
      'is set by Cloudflare. A visitor who reaches the Worker in another way writes it',
    ],
    ['X-Real-IP', 'cloudflare', 'Cloudflare does not set X-Real-IP, so visitors can write it themselves'],
    ['X-Forwarded-For', 'elsewhere', 'the last address in X-Forwarded-For is used'],
    ['X-Forwarded-For', 'cloudflare', 'the last address in X-Forwarded-For is used'],
    ['Forwarded', 'elsewhere', 'the last address in Forwarded is used'],
    ['True-Client-IP', 'cloudflare', 'where the zone has it turned on'],
    ['Fly-Client-IP', 'elsewhere', 'is set by Fly.io'],
    ['X-RealIP', 'elsewhere', 'X-RealIP is no usual header: X-Real-IP may be meant'],
    ['CF-Conecting-IP', 'cloudflare', 'CF-Connecting-IP may be meant'],
    ['X_Real_IP', 'elsewhere', 'X-Real-IP may be meant'],
    ['User-Agent', 'elsewhere', 'no usual header, which are CF-Connecting-IP, '],
  ] as const)('names the consequence of %s (%s)', (name, platform, text) => {
    expect(adviceOn(name, platform)).toContain(text)
  })
})
