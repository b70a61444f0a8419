import { afterEach, describe, expect, it, vi } from 'vitest'
import { RoomLog } from '../../src/room/log.ts'
import { compile } from '../../src/settings/compiled/room.ts'
import { parseRooms } from '../../src/settings/rooms.ts'

const START = Date.parse('2026-03-01T12:00:00Z')
const MINUTE = 60_000

/** Returns the lines that the log of a room writes while `work` runs, without time and level. */
function lines(work: (log: RoomLog) => void, isSoldOut = false): object[] {
  const found: object[] = []
  for (const level of ['info', 'warn'] as const)
    vi.spyOn(console, level).mockImplementation((text: string) => {
      const { event, room, level: _, time: __, ...more } = JSON.parse(text)
      found.push({ event, room, ...more })
    })
  work(new RoomLog('shop', isSoldOut))
  return found
}

afterEach(() => vi.restoreAllMocks())

describe('the log of a room', () => {
  it('has one line when the budget is used up, and one when something is left again', () => {
    const sold = lines(log => [false, true, true, false].map(soldOut => log.reported('eu-0', { soldOut })))
    expect(sold).toEqual([
      { event: 'sold-out', room: 'shop' },
      { event: 'in-stock', room: 'shop' },
    ])
    expect(lines(log => log.reported('eu-0', { soldOut: true }), true)).toEqual([])
  })

  it('has one line for each outage of a door', () => {
    const silent = { event: 'door-silent', room: 'shop', door: 'eu-0', seenBy: 'room', detail: 'Error: no answer' }
    const found = lines(log => {
      log.reported('eu-0', {})
      for (let i = 0; i < 3; i++) log.doorSilent('eu-0', new Error('no answer'))
      for (let i = 0; i < 2; i++) log.reported('eu-0', {})
      log.doorSilent('eu-0', new Error('no answer'))
    })
    expect(found).toEqual([silent, { event: 'door-back', room: 'shop', door: 'eu-0', seenBy: 'room' }, silent])
  })

  it('has each decision about the health of the origin, with what was seen', () => {
    const saw = { sessions: 40, apdex: 0.4, failures: 0.5, inside: 12 }
    const decision = { atMs: START, upstream: 'payments', saw, enforced: true } as const
    const found = lines(log => {
      log.health({ ...decision, did: { kind: 'breaker-open', untilMs: START + MINUTE } })
      log.health({ ...decision, did: { kind: 'ceiling-lowered', from: 100, to: 80 }, saw: null })
    })
    const line = { room: 'shop', upstream: 'payments', enforced: true }
    expect(found).toEqual([
      { event: 'breaker-open', ...line, untilMs: START + MINUTE, saw },
      { event: 'ceiling-lowered', ...line, from: 100, to: 80, saw: null },
    ])
  })

  it('has the prequeue, the start and the end of an event', () => {
    const at = (minutes: number) => new Date(START + minutes * MINUTE).toISOString()
    const event = { name: 'sale', prequeue_start_time: at(-10), event_start_time: at(0), event_end_time: at(30) }
    const [config] = parseRooms([
      { name: 'shop', host: 'shop.test', total_active_users: 10, new_users_per_minute: 60, events: [event] },
    ])
    if (!config) throw new Error('a room must be read')
    const settings = compile(config)
    const turns = settings.turnsBetween(START - 60 * MINUTE, START + 60 * MINUTE)
    expect(lines(log => turns.map(turnMs => log.turn(settings, turnMs)))).toEqual([
      { event: 'prequeue-begun', room: 'shop', name: 'sale' },
      { event: 'event-begun', room: 'shop', name: 'sale' },
      { event: 'event-ended', room: 'shop', name: 'sale' },
    ])
  })
})
