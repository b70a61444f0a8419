import { describe, expect, it } from 'vitest'
import { readReceivers } from '../../../src/settings/admin/receivers.ts'
import { parseRooms } from '../../../src/settings/rooms.ts'

const chat = { name: 'chat', format: 'slack', url: 'https://hooks.example.com/T0/secret' }
const read = (receivers: unknown, ALERT_PRIVATE_RECEIVERS = '') =>
  readReceivers({ ALERT_RECEIVERS: JSON.stringify(receivers), ALERT_PRIVATE_RECEIVERS })
const room = (alerts: unknown) =>
  parseRooms([{ name: 'shop', host: 'shop.example', total_active_users: 5, new_users_per_minute: 5, alerts }], 'ROOMS')

describe('the secret ALERT_RECEIVERS', () => {
  it('names receivers, and none while it is unset', () => {
    expect(readReceivers({})).toEqual([])
    expect(read([chat])).toEqual([chat])
  })

  it.each([
    'http://hooks.example.com/',
    'https://localhost/',
    'https://printer/',
    'https://db.internal/',
    'https://nas.local./',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://10.1.2.3/',
    'https://169.254.169.254/latest',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[fd00::1]/',
    'https://user@hooks.example.com/',
  ])('refuses the private address %s, unless the deployment allows it', url => {
    expect(() => read([{ ...chat, url }])).toThrow(
      'ALERT_RECEIVERS[0].url must be https at a public address, or set ALERT_PRIVATE_RECEIVERS',
    )
    expect(read([{ ...chat, url }], '1')).toHaveLength(1)
  })

  it.each([
    [[{ name: 'a', url: 'https://a.example/' }], 'ALERT_RECEIVERS[0].secret is required, and signs each notice'],
    [[{ ...chat, format: 'pagerduty' }], 'ALERT_RECEIVERS[0].key is required: the key of pagerduty'],
    [[{ ...chat, url: 'ftp://x.example' }], 'ALERT_RECEIVERS[0].url must be an address'],
    [[chat, chat], 'ALERT_RECEIVERS[1].name must be unique'],
    ['text', 'ALERT_RECEIVERS must be a list'],
  ])('refuses %j without repeating an address', (receivers, message) => {
    expect(() => read(receivers)).toThrow(message)
    expect(() => read(receivers)).not.toThrow('T0/secret')
  })
})

describe('the rules of alerts', () => {
  it('have defaults', () => {
    const [{ alerts } = { alerts: [] }] = room([{ when: 'line_longer_than', threshold: 5_000, to: ['chat'] }])
    expect(alerts).toEqual([{ when: 'line_longer_than', threshold: 5_000, for: 60, pause: 900, to: ['chat'] }])
  })

  it.each([
    [[{ when: 'line_longer_than', to: ['chat'] }], 'ROOMS[0].alerts[0].threshold is required: a number of people'],
    [
      [{ when: 'origin_down', threshold: 1, to: ['a'] }],
      'alerts[0].threshold must not be set: origin_down has no limit',
    ],
    [[{ when: 'origin_down', to: [] }], 'ROOMS[0].alerts[0].to must not be empty'],
    [Array(2).fill({ when: 'origin_down', to: ['a'] }), 'alerts[1].name must be unique, and origin_down is not'],
  ])('are refused: %j', (alerts, message) => {
    expect(() => room(alerts)).toThrow(message)
  })
})
