/** Cookies and tokens: ours, those of other rooms, broken ones, and many of them. */
import type { Random } from '../../simulation/random.ts'
import { type Draft, withLines } from '../draft.ts'
import { REGIONS, SECRET } from '../regions.ts'
import { pick } from './choice.ts'

type Value = (room: string, random: Random) => string

const anyRoom = (random: Random) => pick(random, REGIONS).name

/** Values for the cookie of a room. Only the first is the insider's unchanged pass. */
const VALUES: readonly Value[] = [
  room => `{pass:${room}}`,
  room => `{pass:${room}}`,
  (_, random) => `{pass:${anyRoom(random)}}`,
  room => `{ticket:${room}}`,
  (_, random) => `{ticket:${anyRoom(random)}}`,
  room => `{changed:${room}}`,
  room => `{pass:${room}}A`,
  room => `{pass:${room}}.`,
  room => `"{pass:${room}}"`,
  room => ` {pass:${room}} `,
  room => `%22{pass:${room}}`,
  room => `{pass:${room}}={pass:${room}}`,
  () => '',
  () => '.',
  () => '..',
  () => 'a.b.c',
  () => 'eyJhbGciOiJub25lIn0.eyJhdWQiOiJoZWxkIn0.',
  () => 'x'.repeat(5_000),
  () => '\xff\xfe',
  () => '{"a":1}',
]

const COOKIES: readonly ((random: Random) => string)[] = [
  () => `staff=${SECRET}`,
  () => `staff="${SECRET}"`,
  () => 'staff=no',
  () => 'a=b',
  () => '=',
  () => ';;;',
  () => 'novalue',
  () => '%zz=%',
  random => `antesala-${anyRoom(random)}.invite=forged`,
  random => `__Host-antesala-${anyRoom(random)}={pass:${anyRoom(random)}}`,
  () => Array.from({ length: 60 }, (_, index) => `c${index}=${index}`).join('; '),
]

/** The room named in the path, so that a cookie fits its room more often than not. */
function roomOf(draft: Draft, random: Random): string {
  const named = REGIONS.filter(({ path }) => path !== '/' && draft.target.includes(path))
  return (random.chance(0.85) ? named.at(-1)?.name : undefined) ?? anyRoom(random)
}

export function cookie(draft: Draft, random: Random): Draft {
  const room = roomOf(draft, random)
  const own = () => `antesala-${room}=${pick(random, VALUES)(room, random)}`
  const other = () => pick(random, COOKIES)(random)
  const kind = random.next()
  if (kind < 0.1) return withLines(draft, `Waiting-Room-Token: ${pick(random, VALUES)(room, random)}`)
  if (kind < 0.5) return withLines(draft, `Cookie: ${own()}`)
  if (kind < 0.65) return withLines(draft, `Cookie: ${[other(), own(), other()].join('; ')}`)
  if (kind < 0.75) return withLines(draft, `Cookie: ${other()}`, `Cookie: ${own()}`)
  if (kind < 0.85) return withLines(draft, `Cookie: ${Array.from({ length: 2 + random.below(9) }, own).join('; ')}`)
  return withLines(draft, `Cookie: ${other()}`)
}
