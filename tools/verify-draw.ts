/** Recomputes a place in the draw of an event from what the room has published. */
import { createHash } from 'node:crypto'
import { entryKey } from '../src/tokens/draw.ts'
import { address, type Given, run, UsageError } from './support/cli.ts'

const USAGE = `npm run verify-draw -- --event E --sid S [--url URL] [--room R] [--commitment C]

Checks that the published seed of an event's draw is the one that was committed to before the first visitor came, and recomputes
the place of a visitor: HMAC-SHA256 of the sid, keyed with the text of the seed. The sid stands in the JSON of a place, under
event.draw, and in the ticket. Exit code 1 when something does not fit, or the seed is not published yet.`

const FLAGS = {
  event: { value: 'E', help: 'name of the event' },
  sid: { value: 'S', help: 'whose place: the id of a ticket' },
  url: { value: 'URL', help: 'the site', default: 'http://localhost:8787/' },
  room: { value: 'R', help: 'name of the room; needed where there are several' },
  commitment: { value: 'C', help: 'the commitment as it was noted before the start' },
  prefix: { value: 'P', help: 'control prefix of the site', default: '/.waiting-room' },
}
const ANSWER_WITHIN_MS = 10_000

/** The answer of `GET /draws/:event`. */
interface PublishedDraw {
  readonly room: string
  readonly state: string
  readonly commitment: string
  readonly seed: string | null
  readonly seedAt: string
  readonly places: { readonly fromKey: number; readonly untilKey: number } | null
  readonly entries: number
}

await run(USAGE, FLAGS, main)

async function main(given: Given): Promise<number> {
  const event = matching(given, 'event', /^[\w-]{1,64}$/, 'the name of an event: 1 to 64 letters, digits, - or _')
  const sid = matching(
    given,
    'sid',
    /^[a-z]{2}-\d{1,3}\.[\w-]{22}(~\d{1,6})?$/,
    'a sid like eu-0.Zm9vYmFyYmF6cXV4cXV1eA',
  )
  const noted = given.commitment ?? null
  if (noted !== null && !/^sha256:[\da-f]{64}$/.test(noted))
    throw new UsageError(`--commitment must be sha256: and 64 hexadecimal digits, got ${noted}`)
  const draw = await drawOf(given, event)
  if (noted !== null && noted !== draw.commitment) {
    console.error(`the commitment is ${draw.commitment} now, and was ${noted}: this is another draw`)
    return 1
  }
  if (draw.seed === null || draw.places === null) {
    const more =
      draw.state === 'called off'
        ? 'it is drawn for no visitor, and its seed is not published'
        : `its seed is published at ${draw.seedAt}. Note its commitment until then: ${draw.commitment}`
    console.error(`the draw is ${draw.state}: ${more}`)
    return 1
  }
  const hash = `sha256:${createHash('sha256').update(draw.seed).digest('hex')}`
  if (hash !== draw.commitment) {
    console.error(`the seed does not fit: its hash is ${hash}, the commitment ${draw.commitment}`)
    return 1
  }
  const { fromKey, untilKey } = draw.places
  const key = await entryKey(draw.seed, sid, { fromKey, untilMs: untilKey })
  const share = (key - fromKey) / (untilKey - fromKey)
  console.log(`the seed of ${event} in ${draw.room} fits its commitment ${draw.commitment}`)
  console.log(`${sid} drew key ${key}: ${(100 * share).toFixed(4)} % of the way from the first place to the last`)
  return 0
}

async function drawOf(given: Given, event: string): Promise<PublishedDraw> {
  const url = new URL(`${given.prefix}/draws/${event}`, address(given, 'url') ?? FLAGS.url.default)
  if (given.room !== undefined) url.searchParams.set('room', given.room)
  let response: Response
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
  } catch (error) {
    throw new Error(`${url} did not answer: ${String((error as Error).cause ?? error)}`)
  }
  const body = (await response.json().catch(() => ({}))) as PublishedDraw & { readonly title?: string }
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body.title ?? ''}`)
  if (typeof body.commitment !== 'string') throw new Error(`${url} answered ${response.status}, but with no draw`)
  return body
}

function matching(given: Given, name: string, pattern: RegExp, what: string): string {
  const text = given[name]
  if (text !== undefined && pattern.test(text)) return text
  throw new UsageError(`--${name} must be ${what}, got ${text ?? 'nothing'}`)
}
