import { solveChallenge } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/web/pbkdf2'
import { beforeAll, describe, expect, it } from 'vitest'
import { newChallenge, testSolution } from '../../src/tokens/challenges.ts'
import { type KeyRing, openKeyRing } from '../../src/tokens/keyring.ts'
import { newRoomKeys } from '../../tools/support/secrets.ts'

const PLACE = { room: 'shop', sid: 'eu-0.a' }
/** Few iterations, so that the tests are quick. */
const WORK = 10

let ring: KeyRing
beforeAll(async () => {
  ring = await openKeyRing(await newRoomKeys())
})

async function solvedFor(place = PLACE, nowMs = Date.now()) {
  const challenge = await newChallenge(ring, place, WORK, nowMs)
  const solution = await solveChallenge({ challenge, deriveKey })
  if (!solution) throw new Error('no solution in time')
  return { challenge, solution }
}

describe('the solution of a challenge', () => {
  it('is good for the place that the challenge names', async () => {
    expect(await testSolution(ring, PLACE, await solvedFor())).toBe('solved')
  })

  it('is expired for another place, but not wrong', async () => {
    const given = await solvedFor()
    expect(await testSolution(ring, { ...PLACE, sid: 'eu-0.b' }, given)).toBe('expired')
    expect(await testSolution(ring, { ...PLACE, room: 'other' }, given)).toBe('expired')
    expect(await testSolution(ring, { ...PLACE, takenMs: 1 } as typeof PLACE, given)).toBe('expired')
  })

  it('cannot set options of the library', async () => {
    const options = { hmacAlgorithm: 'none', counterMode: 'string', hmacKeySignatureSecret: '' }
    expect(await testSolution(ring, PLACE, { ...(await solvedFor()), ...options })).toBe('solved')
  })

  it('is good for ten minutes', async () => {
    const elevenMinutesAgo = Date.now() - 11 * 60_000
    expect(await testSolution(ring, PLACE, await solvedFor(PLACE, elevenMinutesAgo))).toBe('expired')
  })

  it('cannot be made easier by its visitor', async () => {
    const { challenge, solution } = await solvedFor()
    const parameters = { ...challenge.parameters, keyPrefix: solution.derivedKey.slice(0, 1) }
    expect(await testSolution(ring, PLACE, { challenge: { ...challenge, parameters }, solution })).toBe('wrong')
    const unsigned = { parameters: challenge.parameters }
    expect(await testSolution(ring, PLACE, { challenge: unsigned, solution })).toBe('wrong')
    expect(await testSolution(ring, PLACE, { challenge, solution: { ...solution, counter: 0.5 } })).toBe('wrong')
    const other = { ...solution, counter: solution.counter + 1 }
    expect(await testSolution(ring, PLACE, { challenge, solution: other })).toBe('wrong')
  })

  it('is wrong under the key of another deployment', async () => {
    const other = await openKeyRing(await newRoomKeys())
    expect(await testSolution(other, PLACE, await solvedFor())).toBe('wrong')
  })

  it.each([null, undefined, 7, 'text', [], {}, { challenge: null, solution: {} }, { challenge: {}, solution: {} }])(
    'is wrong when it is %j',
    async given => {
      expect(await testSolution(ring, PLACE, given)).toBe('wrong')
    },
  )
})
