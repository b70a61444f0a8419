import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CODE_CHARACTERS, isTransferred, newCode, readCode, transferIdOf } from '../../../src/core/place/transfer.ts'
import { MAIN_LANE, type Ticket } from '../../../src/core/ticket.ts'

const SID = 'eu-3.AAAAAAAABBBBBBBBBBBBBB'
const TICKET: Ticket = {
  room: 'shop',
  sid: SID,
  key: 1,
  lane: MAIN_LANE,
  confirmed: true,
  low: null,
  byMs: null,
  generation: 1,
  issuedMs: 1,
}

const bytes = fc.uint8Array({ minLength: CODE_CHARACTERS, maxLength: CODE_CHARACTERS })
const doors = fc.tuple(fc.constantFrom('eu', 'oc', 'xx'), fc.nat(9_999)).map(([region, n]) => `${region}-${n}`)

describe('a code', () => {
  it('names its door, and is read back from what people make of it', () => {
    fc.assert(
      fc.property(doors, bytes, (door, random) => {
        const code = newCode(door, random)
        const [region, rest] = [code.slice(0, 2), code.slice(2)]
        const typed = [code, code.toLowerCase(), code.replaceAll('-', ''), ` ${code.replaceAll('-', ' – ')} `]
        const mistaken = region + rest.replaceAll('0', 'o').replaceAll('1', 'l')
        for (const text of [...typed, mistaken]) expect(readCode(text)).toEqual({ door, code })
      }),
    )
  })

  it('has ten characters that are drawn from 32', () => {
    expect(newCode('eu-0', Uint8Array.from([0, 1, 2, 3, 4, 27, 28, 29, 30, 31]))).toBe('EU0-01234-VWXYZ')
    expect(newCode('eu-12', new Uint8Array(CODE_CHARACTERS).fill(255))).toBe('EU12-ZZZZZ-ZZZZZ')
  })

  it.each(['', 'EU0', 'EU0-01234-VWXY', 'EU-01234-VWXYZ', '000-01234-VWXYZ', 'EU0-01234-VWXYU', 'EU12345-01234-VWXYZ'])(
    'is not read from %j',
    text => {
      expect(readCode(text)).toBeNull()
    },
  )
})

describe('a snapshot that names transferred places', () => {
  const transferred = { [transferIdOf(TICKET)]: 2 }

  it('shows that tickets from before the last transfer have no place any more', () => {
    expect(isTransferred(TICKET, { transferred })).toBe(true)
    expect(isTransferred({ ...TICKET, transfers: 1 }, { transferred })).toBe(true)
    expect(isTransferred({ ...TICKET, transfers: 2 }, { transferred })).toBe(false)
  })

  it('shows nothing about other places, nor about a later place of the same invitation', () => {
    expect(isTransferred({ ...TICKET, sid: 'eu-3.CAAAAAAABBBBBBBBBBBBBB' }, { transferred })).toBe(false)
    expect(isTransferred({ ...TICKET, takenMs: 5 }, { transferred })).toBe(false)
    expect(isTransferred(TICKET, {})).toBe(false)
  })
})
