/**
 * Messages of released versions and of this one. For some minutes after a deployment the Worker is new and its objects
 * are old, and after a rollback it is the other way round. Until a version is released, its messages may be recorded
 * anew (`npm run record-messages`). After that its file stays as it is.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { applyReply, decideClaim, newDoor } from '../../../src/core/door/door.ts'
import { placeOf } from '../../../src/core/place/place.ts'
import { newTicket } from '../../../src/core/place/tickets.ts'
import { applyEdgeReply, newEdge } from '../../../src/core/protocol/edge.ts'
import { newRoom, sync } from '../../../src/core/room/room.ts'
import { compile } from '../../../src/settings/compiled/room.ts'
import { parseRooms } from '../../../src/settings/rooms.ts'
import { type Kind, type Messages, recordMessages } from '../../../tools/released/messages.ts'
import { missing, typesIn } from '../../../tools/released/shape.ts'
import { MemorySessions } from '../../../tools/simulation/sessions.ts'

const FOLDER = new URL('released/', import.meta.url)
const RELEASED = readdirSync(FOLDER).map(file => {
  return [file.replace('.json', ''), JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Messages] as const
})
const NOW = recordMessages()
const KINDS = Object.keys(NOW) as Kind[]

const [config] = parseRooms([{ name: 'shop', host: 'shop.example', total_active_users: 40, new_users_per_minute: 240 }])
const settings = compile(config as NonNullable<typeof config>)

describe.each(RELEASED)('the messages of version %s', (_, old) => {
  it.each(KINDS)('lack nothing in those of this version that older code reads: %s', kind => {
    expect(missing(old[kind], NOW[kind])).toEqual([])
  })

  it('of a door are applied by the room of today', () => {
    for (const report of old.doorReport) {
      const room = newRoom(0)
      expect(sync(room, report, settings.at(0).admission, 86_500_000).kind).toBe('applied')
      expect(room.snapshot).not.toBeNull()
    }
  })

  it('of a room give the door of today its permits', () => {
    const reply = old.doorReply.find(({ granted }) => granted > 0)
    if (!reply) throw new Error('no reply grants a permit')
    const door = newDoor('d0', reply.epoch, 0)
    const nowMs = reply.snapshot.asOfMs
    applyReply(door, reply, nowMs)
    const claim = old.claim.find(({ lane }) => lane === 'main')
    if (!claim) throw new Error('no claim is in the main lane')
    const rules = settings.at(0).session
    const request = { ...claim, key: Number.NEGATIVE_INFINITY, generation: reply.snapshot.generation }
    const sessions = { store: new MemorySessions(), rules }
    expect(decideClaim(door, sessions, { request, attempt: 'waiting' }, nowMs).verdict).toBe('admitted')
  })

  it('of a door show the edge of today a place', () => {
    for (const reply of old.edgeReply) {
      const edge = newEdge<never>('i0')
      applyEdgeReply(edge, reply, 0)
      const { snapshot } = edge
      if (!snapshot) throw new Error('the reply has no snapshot')
      const ticket = newTicket({ room: 'room', sid: 'd0.a', lane: 'main', key: snapshot.asOfMs }, snapshot, 0)
      expect(['waiting', 'called']).toContain(placeOf(ticket, snapshot, 60_000, snapshot.asOfMs).state)
    }
  })
})

describe('the comparison of messages', () => {
  it('finds a member that is gone, or has another type', () => {
    const old = [
      { seq: 1, cells: { a: 1 }, version: 'v' },
      { seq: 1, cells: {}, version: 'v', gone: { vip: 1 } },
    ]
    expect(missing(old, [{ seq: 1, cells: { b: 2 }, version: 'v', more: true }])).toEqual([])
    expect(missing(old, [{ cells: {}, version: 'v' }])).toEqual(['.seq'])
    expect(missing(old, [{ seq: '1', cells: {}, version: 'v' }])).toEqual(['.seq'])
    expect(missing(old, [{ seq: 1, cells: {}, version: 'v', gone: 1 }])).toEqual(['.gone'])
  })

  it('treats all names that are data as one name', () => {
    expect([...typesIn({ cells: { a: 1, b: 2 } }).keys()]).toEqual(['', '.cells', '.cells.*'])
  })
})
