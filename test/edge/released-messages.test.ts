/**
 * The present edge and objects with the messages of the version before. Cloudflare runs the code of objects for up
 * to five minutes longer than that of the Worker.
 */
import { afterEach, describe, expect, it, vi } from 'vitest'
import type {
  Claim,
  ClaimAnswer,
  DoorReport,
  EdgeReply,
  EdgeReport,
  Renewal,
} from '../../src/core/protocol/messages.ts'
import { doorStub, type Env, roomStub } from '../../src/settings/env.ts'
import type { RoomConfig } from '../../src/settings/schema.ts'
import recorded from '../core/protocol/released/0.1.0.json'
import { env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

/** The simulator starts its clock here. */
const RECORDED_FROM_MS = 86_400_000
const DOOR = 'xx-0'

/** Returns recorded messages as if they were of now. All recorded numbers of this size are times. */
function ofNow<Message>(message: unknown, nowMs: number): Message {
  const moved = (_: string, value: unknown) =>
    typeof value === 'number' && value >= RECORDED_FROM_MS - 60_000 ? value + nowMs - RECORDED_FROM_MS : value
  return JSON.parse(JSON.stringify(message), moved) as Message
}

function first<Message>(messages: readonly Message[], fits: (message: Message) => boolean): Message {
  const found = messages.find(fits)
  if (found === undefined) throw new Error('no recorded message fits')
  return found
}

const sid = () => `${DOOR}.${crypto.randomUUID().replaceAll('-', '').slice(0, 22)}`

afterEach(async () => {
  vi.useRealTimers()
  await settled()
})

describe('the objects of the present version', () => {
  it('understand an old edge: its reports, its claims, and its renewals', async () => {
    const door = doorStub(env, 'released', DOOR)
    const nowMs = Date.now()
    for (const [index, report] of recorded.edgeReport.entries()) {
      const reply = await door.sync({ ...ofNow<EdgeReport>(report, nowMs), isolate: `old-${index}` })
      expect(reply.settings?.name).toBe('released')
      expect(reply.snapshot.open).toBe(true)
    }
    const { snapshot } = await door.sync({ isolate: 'old', version: '', seq: 1, base: 0, cells: {} })
    for (const claim of recorded.claim.filter(({ lane }) => lane === 'main')) {
      const { generation } = snapshot
      const answer = await door.claim({ ...ofNow<Claim>(claim, nowMs), key: nowMs, sid: sid(), generation })
      expect(answer.verdict).toBe('admitted')
    }
    const known = sid()
    await door.claim({ sid: known, key: nowMs, lane: 'main', generation: snapshot.generation })
    const renewals = recorded.renewal.map(renewal => ({ ...ofNow<Renewal>(renewal, nowMs), sid: known }))
    expect((await door.renew(renewals)).map(({ verdict }) => verdict)).toEqual(renewals.map(() => 'live'))
  })

  it('understand an old door, and answer its repeated report alike', async () => {
    const room = roomStub(env, 'released')
    const nowMs = Date.now()
    for (const [index, report] of recorded.doorReport.entries()) {
      const old = { ...ofNow<DoorReport>(report, nowMs), door: `old-${index}` }
      const reply = await room.sync(old)
      expect(reply?.settings?.name).toBe('released')
      expect((await room.sync(old))?.granted).toBe(reply?.granted)
    }
  })
})

/** Bindings whose doors answer as the old ones did. */
function oldDoors(reply: unknown, claimAnswer: unknown, nowMs: number): Env {
  const door = {
    sync: async ({ seq }: EdgeReport) => ({ ...ofNow<EdgeReply<RoomConfig>>(reply, nowMs), seq }),
    claim: async () => ofNow<ClaimAnswer>(claimAnswer, nowMs),
    renew: async (renewals: readonly Renewal[]) => {
      const answer = first(recorded.renewalAnswer, ({ verdict }) => verdict === 'live')
      return renewals.map(() => ofNow(answer, nowMs))
    },
  }
  return { ...env, DOOR: { getByName: () => door } as unknown as Env['DOOR'] }
}

describe('the edge of today', () => {
  const nowMs = Date.now()
  const admitted = first(recorded.claimAnswer, ({ verdict }) => verdict === 'admitted')

  it('lets a visitor in by the answers of an old door', async () => {
    const open = first(recorded.edgeReply, ({ snapshot }) => snapshot.open)
    vi.setSystemTime(nowMs + open.snapshot.asOfMs - RECORDED_FROM_MS)
    const visitor = Object.assign(new Visitor('released.test', newEdge()), {
      bindings: oldDoors(open, admitted, nowMs),
    })
    for (const path of ['/first', '/second']) {
      const { status, atOrigin } = await visitor.page(path)
      expect([status, atOrigin?.url.endsWith(path)]).toEqual([200, true])
    }
  })

  it('shows a visitor the line of an old door', async () => {
    const closed = first(recorded.edgeReply, ({ snapshot }) => !snapshot.open)
    const asOfMs = nowMs + closed.snapshot.asOfMs - RECORDED_FROM_MS
    const visitor = Object.assign(new Visitor('released.test', newEdge()), {
      bindings: oldDoors(closed, admitted, nowMs),
    })
    vi.setSystemTime(asOfMs)
    const { status, text } = await visitor.data('/first')
    expect([status, JSON.parse(text).state]).toEqual([503, 'waiting'])
    vi.setSystemTime(asOfMs + 8_000)
    expect((await visitor.poll()).place.state).toBe('waiting')
  })
})
