import { base64url } from 'jose'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { StoredKey } from '../../src/tokens/keyring.ts'
import { addKeys, dropKeys, newKeys, promoteKeys } from '../../src/tokens/rotation.ts'
import { claimsOf, type Edge, env, newEdge, settled, Visitor } from '../support/workerd/visitor.ts'

const NAME = '__Host-antesala-held'
let first: StoredKey[]

beforeAll(async () => {
  first = await newKeys('first')
})

afterEach(async () => {
  await settled()
  vi.useRealTimers()
})

/** An isolate, and the keys it was deployed with. */
interface Deployed {
  readonly edge: Edge
  readonly keys: readonly StoredKey[]
}

const deployed = (keys: readonly StoredKey[]): Deployed => ({ edge: newEdge(), keys })

/** A visitor at one isolate of a room that queues everyone, with the cookies of another visitor. */
function at({ edge, keys }: Deployed, like?: Visitor): Visitor {
  const visitor = new Visitor('held.test', edge)
  visitor.bindings = { ...env, ROOM_KEYS: JSON.stringify({ keys }) }
  for (const [name, value] of like?.jar ?? []) visitor.jar.set(name, value)
  return visitor
}

const sidOf = (visitor: Visitor) => claimsOf(visitor.token).sub

describe('keys that are all new', () => {
  it('end every place at once: the page gives a new one, and the poll reports none', async () => {
    vi.useFakeTimers({ now: Date.now(), toFake: ['Date'] })
    const visitor = at(deployed(first))
    await visitor.page()
    vi.setSystemTime(Date.now() + 2_000)
    const after = deployed(await newKeys('second'))
    expect((await at(after, visitor).poll()).place.state).toBe('none')
    const onPage = at(after, visitor)
    expect((await onPage.page()).status).toBe(503)
    expect(sidOf(onPage)).not.toBe(sidOf(visitor))
    expect((await onPage.poll()).place.state).toBe('waiting')
  })
})

describe('a rotation as documented', () => {
  it('keeps the place at every step, at isolates before and after it', async () => {
    const added = await addKeys(first, 'next')
    const promoted = promoteKeys(added)
    const dropped = dropKeys(promoted)
    const old = deployed(first)
    const visitor = at(old)
    await visitor.page()
    const sid = sidOf(visitor)
    const steps = [deployed(added), deployed(promoted), deployed(added), deployed(promoted), deployed(dropped)]
    let before = visitor
    for (const step of steps.slice(0, 4)) {
      const now = at(step, before)
      await now.page()
      expect((await now.poll(false)).place.state).toBe('waiting')
      expect(sidOf(now)).toBe(sid)
      before = now
    }
    // By then the ticket is signed with the new key, as is every ticket that came back within a day.
    const signed = at(deployed(promoted), visitor)
    vi.useFakeTimers({ now: Date.now() + 60_000, toFake: ['Date'] })
    await signed.page()
    const last = at(steps[4] as Deployed, signed)
    await last.page()
    expect(sidOf(last)).toBe(sid)
  })
})

describe('a token of a key that an isolate does not know', () => {
  it('is left alone for a minute by an isolate without the new deployment, on pages and polls', async () => {
    vi.useFakeTimers({ now: Date.now(), toFake: ['Date'] })
    const behind = deployed(first)
    await at(behind).page()
    vi.setSystemTime(Date.now() + 30_000)
    const ahead = deployed(await newKeys('newer'))
    const visitor = at(ahead)
    await visitor.page()
    const meanwhile = at(behind, visitor)
    const page = await meanwhile.page()
    expect([page.status, page.response.headers.has('Set-Cookie')]).toEqual([503, false])
    expect((await meanwhile.poll()).status).toBe(503)
    expect(meanwhile.token).toBe(visitor.token)
    vi.setSystemTime(Date.now() + 61_000)
    expect((await meanwhile.poll()).place.state).toBe('none')
    await meanwhile.page()
    expect(sidOf(meanwhile)).not.toBe(sidOf(visitor))
  })

  it('from the future denies no visitor a place', async () => {
    const part = (value: object) => base64url.encode(JSON.stringify(value))
    const iat = Date.UTC(2200, 0) / 1_000
    for (const [typ, alg] of [
      ['ticket+jwt', 'HS256'],
      ['pass+jwt', 'EdDSA'],
    ]) {
      const token = `${part({ alg, typ, kid: 'unheard-of' })}.${part({ iat, exp: iat + 60 })}.AAAA`
      const visitor = at(deployed(first))
      visitor.jar.set(NAME, token)
      expect((await visitor.poll()).place.state).toBe('none')
      await visitor.page()
      expect(visitor.token).not.toBe(token)
      expect((await visitor.poll()).place.state).toBe('waiting')
    }
  })
})
