/** Where objects are asked for. The local runtime has no jurisdictions, so a fake one stands in for Cloudflare's. */
import { describe, expect, it } from 'vitest'
import type { Jurisdiction } from '../../src/settings/deployment.ts'
import { doorStub, type Env, roomStub } from '../../src/settings/env.ts'
import { env as local } from '../support/workerd/visitor.ts'

/** A namespace whose objects are their addresses. */
function namespace(kind: string, jurisdiction = 'none') {
  return {
    getByName: (name: string, options: { readonly locationHint?: string }) =>
      `${kind} ${name} in ${jurisdiction}, near ${options.locationHint ?? 'nothing'}`,
    jurisdiction: (name: string) => namespace(kind, name),
  }
}

function environment(jurisdiction: Jurisdiction | '' | undefined): Env {
  const variables = jurisdiction === undefined ? {} : { JURISDICTION: jurisdiction }
  return { ROOM: namespace('room'), DOOR: namespace('door'), ...variables } as unknown as Env
}

it('a runtime without jurisdictions refuses, instead of keeping the data elsewhere', () => {
  expect(() => roomStub({ ...local, JURISDICTION: 'eu' }, 'wide')).toThrow('urisdiction')
  const none = { ...environment('eu'), ROOM: { getByName: () => 'anywhere' } } as unknown as Env
  expect(() => roomStub(none, 'wide')).toThrow('this platform has no jurisdictions')
})

describe('the objects of a deployment', () => {
  it.each([undefined, ''] as const)('are near their visitors without a jurisdiction (%s)', jurisdiction => {
    const env = environment(jurisdiction)
    expect(roomStub(env, 'shop')).toBe('room shop in none, near nothing')
    expect(doorStub(env, 'shop', 'na-0')).toBe('door shop/na-0 in none, near enam')
  })

  it.each(['eu', 'us'] as const)('are all in the jurisdiction %s, whose hints would contradict it', jurisdiction => {
    const env = environment(jurisdiction)
    expect(roomStub(env, 'shop')).toBe(`room shop in ${jurisdiction}, near nothing`)
    expect(doorStub(env, 'shop', 'na-0')).toBe(`door shop/na-0 in ${jurisdiction}, near nothing`)
  })
})
