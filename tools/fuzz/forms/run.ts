/**
 * Sends hostile forms as a browser does. A form of another site must come back in a page of ours, whose markup is that
 * of a harmless form. The form must then reach the origin byte for byte. The waiting page must also keep every byte.
 */
import { Agent, request } from 'node:http'
import { Random } from '../../simulation/random.ts'
import { freePort } from '../../support/ports.ts'
import { newAdminToken, newRoomKeys } from '../../support/secrets.ts'
import { startServe } from '../../support/workerd.ts'
import { startRecordingOrigin } from '../origin.ts'
import { type HostileForm, hostileForm } from './generate.ts'
import { markupOf, rawTextOf } from './markup.ts'

const BROWSER = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate' }
const HARMLESS: HostileForm = {
  target: '/a?b=1',
  type: 'application/x-www-form-urlencoded',
  body: Buffer.from('a=1'),
  origin: 'https://bank.test',
  referer: 'https://bank.test/a',
}
const FIELD = /<input type="hidden" name="waiting-room-form" value="([\w-]+\.[\w-]*)">/
/** One in this many forms is also sent to a room in which visitors wait. */
const LINE_EVERY = 4

interface Answer {
  readonly status: number
  readonly state: string | undefined
  readonly text: string
}

interface FormsRun {
  readonly forms: number
  readonly seed: number
  /** Called after each form. */
  readonly progress?: (done: number) => void
}

/** Returns a line for each form that was not treated as it should be. */
export async function fuzzForms({ forms, seed, progress }: FormsRun): Promise<readonly string[]> {
  const origin = await startRecordingOrigin()
  const port = await freePort()
  const room = { host: '*', total_active_users: 1_000_000, new_users_per_minute: 1_000_000, health: { mode: 'off' } }
  const served = await startServe({
    port,
    origin: origin.url,
    rooms: [
      { ...room, name: 'open', path: '/open' },
      { ...room, name: 'held', path: '/held', queue_all: true },
    ],
    storage: 'memory',
    roomKeys: await newRoomKeys([]),
    adminToken: newAdminToken(),
  })
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const send = sender(port, agent)
  const differences: string[] = []
  try {
    await untilHeld(send)
    const known = { page: await foreign(send, HARMLESS), line: await inLine(send, HARMLESS) }
    const random = new Random(seed)
    for (let i = 0; i < forms; i++) {
      const form = hostileForm(random)
      const found = await judged(send, form, known.page, () => origin.take())
      if (i % LINE_EVERY === 0)
        found.push(...sameMarkup('the waiting page', await inLine(send, form), known.line, form))
      differences.push(...found.map(what => `form ${i}: ${what}`))
      progress?.(i + 1)
    }
    return differences
  } finally {
    agent.destroy()
    await served.stop()
    await origin.stop()
  }
}

type Send = (path: string, headers: Record<string, string>, body: Buffer) => Promise<Answer>

async function judged(
  send: Send,
  form: HostileForm,
  known: Answer,
  arrivals: () => readonly { readonly body: Buffer | null; readonly text: string }[],
): Promise<string[]> {
  const first = await foreign(send, form)
  if (first.state !== 'resubmit') return [`a page that sends it once more was expected, got ${first.state}`]
  const found = sameMarkup('the page', first, known, form)
  const value = FIELD.exec(first.text)?.[1] ?? ''
  arrivals()
  const second = await send(`/open${form.target}`, again(), Buffer.from(`waiting-room-form=${value}\r\n`))
  const [arrived, ...more] = arrivals()
  if (!arrived || more.length > 0)
    return [
      ...found,
      `one request at the origin was expected, got ${arrived ? more.length + 1 : 0} and ${second.status} ${second.state}`,
    ]
  if (!arrived.body?.equals(form.body)) found.push('the origin got another body')
  if (!arrived.text.includes(`: ${form.type}\r\n`)) found.push(`the origin got another type than ${form.type}`)
  if (!arrived.text.includes(`: ${form.origin}\r\n`)) found.push(`the origin got another Origin than ${form.origin}`)
  return found
}

/** Returns how a page differs from the page of a harmless form in its markup, and whether it keeps another body. */
function sameMarkup(what: string, { text }: Answer, known: Answer, { body }: HostileForm): string[] {
  const found: string[] = []
  if (markupOf(text) !== markupOf(known.text)) found.push(`${what} has other markup`)
  if (rawTextOf(text) !== rawTextOf(known.text)) found.push(`${what} has other scripts or styles`)
  const carried = Buffer.from(FIELD.exec(text)?.[1]?.split('.')[1] ?? '', 'base64url')
  if (!carried.equals(body)) found.push(`${what} keeps another body`)
  return found
}

function foreign(send: Send, { target, type, body, origin, referer }: HostileForm): Promise<Answer> {
  const from = { 'Sec-Fetch-Site': 'cross-site', Origin: origin, Referer: referer }
  return send(`/open${target}`, { ...BROWSER, ...from, 'Content-Type': type }, body)
}

function inLine(send: Send, { target, type, body }: HostileForm): Promise<Answer> {
  const own = { 'Sec-Fetch-Site': 'same-origin', Referer: 'http://127.0.0.1/held' }
  return send(`/held${target}`, { ...BROWSER, ...own, 'Content-Type': type }, body)
}

const again = () => ({ ...BROWSER, 'Sec-Fetch-Site': 'same-origin', 'Content-Type': 'text/plain' })

/** Waits until the room is held. The room learns this only after its first visitor has come. */
async function untilHeld(send: Send): Promise<void> {
  for (;;) {
    const { state } = await inLine(send, HARMLESS)
    if (state === 'waiting') return
    await new Promise(resolve => setTimeout(resolve, 200))
  }
}

function sender(port: number, agent: Agent): Send {
  return (path, headers, body) =>
    new Promise((resolve, reject) => {
      const length = { Host: '127.0.0.1', 'Content-Length': String(body.length) }
      const options = { port, host: '127.0.0.1', method: 'POST', path, agent, headers: { ...headers, ...length } }
      const sent = request(options, response => {
        const parts: Buffer[] = []
        response.on('data', part => parts.push(part))
        response.on('error', reject)
        response.on('end', () => {
          const state = response.headers['waiting-room-state']
          const text = Buffer.concat(parts).toString()
          resolve({ status: response.statusCode ?? 0, state: state === undefined ? undefined : String(state), text })
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
}
