import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ChangeRequest } from '../../src/core/protocol/calls.ts'
import { type LiveChange, liveChange } from '../../src/settings/changes.ts'
import { SettingsError } from '../../src/settings/messages.ts'
import { type Overrides, parseRooms, withOverrides } from '../../src/settings/rooms.ts'
import type { RoomConfig, RuntimeSetting } from '../../src/settings/schema.ts'

const shop = { name: 'shop', host: 'Shop.example', total_active_users: 100, new_users_per_minute: 60 }
const fileOf = (settings: object = {}) => parseRooms([{ ...shop, ...settings }])[0] as RoomConfig
const file = fileOf()
const times = { event_start_time: '2026-11-27T10:00:00+01:00', event_end_time: '2026-11-27T22:00:00+01:00' }

/** Some values for each setting. Any combination of them is valid. */
const VALUES: Partial<Record<RuntimeSetting, readonly unknown[]>> = {
  total_active_users: [1, 100, 5_000],
  new_users_per_minute: [0, 60, 61],
  session_duration: [0.5, 5],
  max_session_duration: [null, 60],
  queueing_method: ['fifo', 'random', 'reject'],
  message: ['', 'Back at noon.', '\u{1f44b} "quoted"'],
  remaining: [null, 0, 250],
  suspended: [true, false],
  cookie_attributes: [{}, { samesite: 'strict' }, { samesite: 'auto', secure: 'auto', partitioned: true }],
  well_known: ['forward', 'queue'],
  bypass: [
    [],
    [{ preset: 'magento' }],
    [{ path: '/webhooks/*', methods: ['POST'] }],
    [{ header: { name: 'X-Monitor' } }],
  ],
  rate_limits: [[], [{ name: 'login', match: { paths: ['/login'] }, count: 5, period: 300 }]],
  anonymous: [{}, { count: 10 }],
  events: [[], [{ name: 'gala', ...times }], [{ name: 'sale', ...times, message: 'Soon.', queueing_method: 'random' }]],
  lanes: [[], [{ name: 'vip', share: 0.3 }]],
  upstreams: [[], [{ name: 'cards', paths: ['/cards/*'] }]],
  health: [{}, { mode: 'shadow' }],
  cors_origins: [[], ['https://app.example']],
}
const settings = fc.record(
  Object.fromEntries(Object.entries(VALUES).map(([name, values]) => [name, fc.constantFrom(...values)])),
  { requiredKeys: [] },
)
/** Returns the value as it arrives after it was sent as JSON. The first `turn` names of it move to the end. */
const sent = (value: object, turn = 0) => {
  const entries = Object.entries(JSON.parse(JSON.stringify(value)) as object)
  return Object.fromEntries([...entries.slice(turn), ...entries.slice(0, turn)])
}

/** Returns what a request changes in a room whose live changes are in force. */
function changeOf(overrides: Overrides, request: ChangeRequest, room = file): LiveChange | null {
  return liveChange({ file: room, overrides, config: withOverrides(room, overrides) }, request)
}

/** Returns the live changes after one more change. */
function changed(overrides: Overrides, set: unknown, room = file): Overrides {
  return changeOf(overrides, { set }, room)?.overrides ?? overrides
}

function problemsOf(act: () => unknown): string[] {
  try {
    act()
    return []
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    return error.problems.map(({ path, message }) => `${path} ${message}`)
  }
}

describe('a live change', () => {
  it('changes nothing when it repeats the settings in force', () => {
    fc.assert(
      fc.property(settings, settings, fc.nat(20), (ofFile, live, turn) => {
        const room = fileOf(ofFile)
        const overrides = changed({}, live, room)
        const shown = withOverrides(room, overrides)
        expect(changeOf(overrides, { set: sent(shown, turn) }, room)).toBeNull()
      }),
    )
  })

  it('changes nothing when it is repeated, except for a budget that is sent alone', () => {
    fc.assert(
      fc.property(settings, settings, settings, (ofFile, before, set) => {
        const room = fileOf(ofFile)
        const first = changed(changed({}, before, room), set, room)
        const again = changeOf(first, { set: sent(set) }, room)
        const isNewStock = Object.keys(set).join() === 'remaining' && set.remaining !== null
        expect(again?.restocks ?? false).toBe(isNewStock)
        expect(again?.overrides ?? first).toEqual(first)
      }),
    )
  })

  it('puts in force exactly the settings that it asks for', () => {
    fc.assert(
      fc.property(settings, settings, (before, set) => {
        const overrides = changed({}, before)
        const change = changeOf(overrides, { set })
        const config = withOverrides(withOverrides(file, overrides), set)
        expect(withOverrides(file, change?.overrides ?? overrides)).toEqual(config)
        if (change) expect(change.config).toEqual(config)
      }),
    )
  })

  it('is stored without the settings that it repeats, which keep their source', () => {
    const shown = sent(withOverrides(file, { message: 'hello' }))
    const change = changeOf({ message: 'hello' }, { set: { ...shown, queue_all: true } })
    expect(change).toEqual({
      overrides: { message: 'hello', queue_all: true },
      config: withOverrides(file, { message: 'hello', queue_all: true }),
      request: { set: { queue_all: true } },
      restocks: false,
    })
  })

  it.each([
    [{}, true],
    [{ host: 'shop.example', path: '/', additional_routes: [] }, true],
    [{ host: 'other.example' }, false],
    [{ additional_routes: [{ host: 'b.example', path: '/' }] }, false],
    [{ cookie_suffix: null }, false],
  ])('may contain settings of the file only unchanged: %j', (set, isKept) => {
    const change = () => changeOf({}, { set: { ...set, queue_all: true } })
    const refused = Object.keys(set).map(name => `${name} cannot be changed live: change the file and deploy`)
    expect(problemsOf(change)).toEqual(isKept ? [] : refused)
  })

  it('is checked against the settings in force, not against the file', () => {
    const search = { upstreams: [{ name: 'search', paths: ['/search'] }] }
    const pin = { health_pins: { breakers: { search: 'open' } } }
    expect(() => changed({}, pin)).toThrow('is no upstream')
    expect(changed(changed({}, search), pin)).toEqual({ ...search, ...pin })
    const longer = changed({}, { session_duration: 20 })
    expect(() => changed(longer, { max_session_duration: 10 })).toThrow('max_session_duration')
  })

  it.each([null, [], 5, 'queue_all'])('must be an object of settings, not %j', set => {
    expect(problemsOf(() => changeOf({}, { set }))).toHaveLength(1)
  })
})

describe('a budget', () => {
  const stocked = fileOf({ remaining: 250 })

  it.each([
    ['begins anew when it is sent by itself with the number that it had', { remaining: 250 }, true],
    ['begins anew when it is sent by itself with another number', { remaining: 251 }, true],
    ['begins anew when another number is sent among other settings', { remaining: 251, message: 'More.' }, true],
    ['goes on when the number that it had is sent among other settings', { remaining: 250, message: 'More.' }, false],
    ['ends when it is taken away', { remaining: null }, true],
  ])('%s', (_, set, restocks) => {
    expect(changeOf({}, { set }, stocked)?.restocks).toBe(restocks)
  })

  it('cannot be removed where there is none', () => {
    expect(changeOf({}, { set: { remaining: null } })).toBeNull()
  })

  it('begins anew when it is reset to the file, unless it is the one in force', () => {
    expect(changeOf({ remaining: 5 }, { reset: 'all' }, stocked)?.restocks).toBe(true)
    expect(changeOf({ message: 'x' }, { reset: 'all' }, stocked)?.restocks).toBe(false)
  })
})

describe('the reset of a setting', () => {
  it.each(['constructor', '__proto__', 'toString', 'speed'])('is refused for %s, which is not a setting', name => {
    expect(() => changeOf({ message: 'hello' }, { reset: [name] })).toThrow(`${name} is not a setting`)
  })

  it('changes nothing where no live change has set the setting', () => {
    expect(changeOf({ message: 'hello' }, { reset: ['queue_all'] })).toBeNull()
    expect(changeOf({}, { reset: 'all' })).toBeNull()
    expect(changeOf({ message: 'hello' }, { reset: ['message'] })).toMatchObject({ overrides: {}, config: file })
  })
})
