/** The verbs of the command: each asks the admin API, and returns text for people and a value for programs. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Change } from '../../src/core/protocol/calls.ts'
import { type Given, number, UsageError } from '../support/cli.ts'
import { type AdminClient, Refusal } from './client.ts'
import { assignment, count, duration, settingName, stateLine, table, valueWords, when } from './words.ts'

interface Call {
  readonly client: AdminClient
  readonly room: string
  readonly words: readonly string[]
  readonly given: Given
}

interface Answer {
  readonly text: string
  readonly json: unknown
}

export type Verb = (call: Call) => Promise<Answer>

const path = ({ room }: Call, more = {}) => ({ path: { name: room, ...more } })

export const VERBS: Readonly<Record<string, Verb>> = {
  async list({ client }) {
    const json = await client.call('GET /rooms')
    const lines = json.rooms.map(room => [room.name, 'error' in room ? room.error : stateLine(room)])
    return { json, text: table(lines) }
  },
  async get(call) {
    const json = await call.client.call('GET /rooms/{name}', path(call))
    const asked = call.words.map(settingName)
    const unknown = asked.find(name => !Object.hasOwn(json.settings, name))
    if (unknown !== undefined) throw new UsageError(`there is no setting ${unknown}`)
    const names = asked.length > 0 ? asked : Object.keys(json.settings).filter(name => json.sources[name] !== 'default')
    const rows = names.map(name => [name, valueWords(Reflect.get(json.settings, name)), `(${json.sources[name]})`])
    return { json, text: asked.length > 0 ? table(rows) : `${stateLine(json)}\n${table(rows)}` }
  },
  async set(call) {
    const pairs = call.words.map(word => {
      const pair = assignment(word)
      if (pair === null) throw new UsageError(`a setting is set by NAME=VALUE, got ${word}`)
      return pair
    })
    if (pairs.length === 0) throw new UsageError('set needs NAME=VALUE, such as rate=500')
    return change(call, Object.fromEntries(pairs))
  },
  hold: call => change(call, { queue_all: true }),
  release: call => change(call, { queue_all: false }),
  async reset(call) {
    const { client, words } = call
    if (words.length === 0) throw new UsageError('reset needs the names of settings, or "all"')
    const [first = ''] = words
    if (first !== 'all' && words.length > 1) throw new UsageError('reset takes one setting, or "all"')
    const { version } = await client.call('GET /rooms/{name}', path(call))
    const ifVersion = call.given['if-version'] ?? version
    const json =
      first === 'all'
        ? await careful(call, () => client.call('DELETE /rooms/{name}/overrides', { ...path(call), ifVersion }))
        : await careful(call, () =>
            client.call('DELETE /rooms/{name}/overrides/{setting}', {
              ...path(call, { setting: settingName(first) }),
              ifVersion,
            }),
          )
    return { json, text: `${first === 'all' ? 'all settings are' : `${settingName(first)} is`} as in the file` }
  },
  async watch(call) {
    const limit = call.given.seconds === undefined ? Infinity : number(call.given, 'seconds', 1, 86_400)
    for (let second = 0; second < limit; second++) {
      const began = performance.now()
      const line = await call.client
        .call('GET /rooms/{name}', path(call))
        .then(room => (call.given.json === 'true' ? JSON.stringify(room.figures) : stateLine(room)))
        .catch((error: Error) => {
          if (error instanceof Refusal && error.status < 500) throw error
          return error.message
        })
      console.log(line)
      if (second + 1 < limit) await pause(Math.max(0, 1_000 - (performance.now() - began)))
    }
    return { json: null, text: '' }
  },
  async events(call) {
    const { events } = await call.client.call('GET /rooms/{name}', path(call))
    const rows = events.map(({ name, state, startsAt, endsAt, draw }) => [
      ...[name, state, when(startsAt), when(endsAt)],
      draw ? `${count(draw.entries)} entries, ${draw.commitment}` : '',
    ])
    return {
      json: events,
      text: events.length === 0 ? 'no event' : table([['event', 'state', 'starts', 'ends', ''], ...rows]),
    }
  },
  async history(call) {
    const { from, to, step, form = 'csv' } = call.given
    if (form !== 'csv' && form !== 'json') throw new UsageError(`--form must be csv or json for history, got ${form}`)
    const query = { from, to, step }
    const asked = { ...path(call), query: { ...query, format: 'csv' } }
    if (call.given.json !== 'true' && form === 'csv')
      return { json: null, text: (await call.client.text('GET /rooms/{name}/history', asked)).trimEnd() }
    const json = await call.client.call('GET /rooms/{name}/history', { ...path(call), query })
    return { json, text: JSON.stringify(json, null, 2) }
  },
  async reports(call) {
    const json = await call.client.call('GET /rooms/{name}/reports', path(call))
    const rows = json.reports.map(({ id, fromMs, toMs, admitted }) => [id, when(fromMs), when(toMs), count(admitted)])
    return { json, text: rows.length === 0 ? 'no report' : table([['report', 'from', 'to', 'let in'], ...rows]) }
  },
  async report(call) {
    const { from, to, zone, form = 'html' } = call.given
    const [id = 'span'] = call.words
    const query = { from, to, zone, format: form }
    if (call.given.json !== 'true')
      return {
        json: null,
        text: await call.client.text('GET /rooms/{name}/reports/{id}', { ...path(call, { id }), query }),
      }
    const json = await call.client.call('GET /rooms/{name}/reports/{id}', {
      ...path(call, { id }),
      query: { from, to, format: 'json' },
    })
    return { json, text: '' }
  },
  async changes(call) {
    const json = await call.client.call('GET /rooms/{name}/changes', path(call))
    const rows = json.changes.map(({ atMs, actor, ...change }) => [when(atMs), actor, changeWords(change)])
    return { json, text: rows.length === 0 ? 'no change' : table(rows) }
  },
  async audit(call) {
    const { from, to } = call.given
    const json = await call.client.call('GET /rooms/{name}/audit', { ...path(call), query: { from, to } })
    const rows = json.entries.map(({ atMs, actor, action, subject, after }) => [
      ...[when(atMs), actor, action],
      subject ?? (after === null ? '' : JSON.stringify(after)),
    ])
    return { json, text: rows.length === 0 ? 'no entry' : table(rows) }
  },
  async health(call) {
    const json = await call.client.call('GET /rooms/{name}/health', { ...path(call), query: { minutes: '0' } })
    const rows = json.health.upstreams.map(({ name, breaker, samples, p95Ms, apdex }) => [
      ...[name, breaker, `${count(samples)} answers`, p95Ms === null ? '' : `95 % within ${count(p95Ms)} ms`],
      apdex === null ? '' : `apdex ${apdex.toFixed(2)}`,
    ])
    return { json, text: `the origin is ${json.health.state}\n${table(rows)}`.trimEnd() }
  },
  async forecast(call) {
    const query = Object.fromEntries(
      call.words.map(word => {
        const pair = assignment(word)
        if (pair === null) throw new UsageError(`a limit is given by NAME=VALUE, such as rate=500, got ${word}`)
        return [pair[0], String(pair[1])]
      }),
    )
    const json = await call.client.call('GET /rooms/{name}/forecast', { ...path(call), query })
    if (json.kind === 'stopped') return { json, text: `the line stands still: ${json.why}` }
    const empty = json.emptyInMs === null ? 'not empty within a day' : `empty in ${duration(json.emptyInMs)}`
    const wait = json.wait === null ? 'more than a day' : duration(json.wait.likelyMs)
    return {
      json,
      text: `the line is ${empty}, and grows by ${count(json.growsPerMinute)} a minute; a newcomer waits ${wait}`,
    }
  },
  async alerts(call) {
    const json = await call.client.call('GET /rooms/{name}/alerts', path(call))
    const rows = json.rules.map(({ name, when: condition, threshold, firedAtMs }) => [
      ...[name, condition, threshold === null ? '' : count(threshold)],
      firedAtMs === null ? 'quiet' : `fires since ${when(firedAtMs)}`,
    ])
    return { json, text: rows.length === 0 ? 'no rule' : table(rows) }
  },
  async session(call) {
    const json = await call.client.call('GET /rooms/{name}/sessions/{sid}', path(call, { sid: sidOf(call) }))
    return { json, text: table(Object.entries(json).map(([name, value]) => [name, valueWords(value)])) }
  },
  async end(call) {
    await call.client.call('DELETE /rooms/{name}/sessions/{sid}', path(call, { sid: sidOf(call) }))
    return { json: null, text: 'the session has ended' }
  },
}

function sidOf({ words: [sid] }: Call): string {
  if (sid === undefined) throw new UsageError('the id of a session is missing')
  return sid
}

/** Changes the room if it is still as it was read. Returns each value before and after. */
async function change(call: Call, set: Readonly<Record<string, unknown>>): Promise<Answer> {
  const before = await call.client.call('GET /rooms/{name}', path(call))
  const ifVersion = call.given['if-version'] ?? before.version
  const json = await careful(call, () =>
    call.client.call('PATCH /rooms/{name}', { ...path(call), body: set, ifVersion }),
  )
  const lines = Object.keys(set).map(name => {
    const [was, is] = [before, json].map(({ settings }) => valueWords(Reflect.get(settings, name)))
    return was === is ? `${name} is ${is} already` : `${name}: ${was} -> ${is}`
  })
  return { json, text: [...lines, `version ${json.version}`].join('\n') }
}

/** Makes a change. If another change came first, the error explains this. */
async function careful<Body>(call: Call, make: () => Promise<Body>): Promise<Body> {
  try {
    return await make()
  } catch (error) {
    if (!(error instanceof Refusal) || error.status !== 412) throw error
    const { changes } = await call.client.call('GET /rooms/{name}/changes', path(call))
    const [last] = changes
    const words = last ? ` ${last.actor} came first, at ${when(last.atMs)}: ${changeWords(last)}.` : ''
    throw new Error(
      `The room was changed meanwhile.${words} Nothing was changed by you. Look, and run the command again.`,
    )
  }
}

function changeWords({ request }: Pick<Change, 'request'>): string {
  if ('reset' in request) return `${request.reset === 'all' ? 'everything' : request.reset.join(', ')} back to the file`
  const entries = Object.entries(request.set as Readonly<Record<string, unknown>>)
  return entries.map(([name, value]) => `${name} = ${valueWords(value)}`).join(', ')
}
