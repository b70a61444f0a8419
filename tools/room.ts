/** Reads and changes a room from the command line, by the admin API. */
import { readFileSync } from 'node:fs'
import { nearest } from '../src/settings/suggest/nearest.ts'
import { AdminClient } from './room/client.ts'
import { VERBS } from './room/verbs.ts'
import { address, callOf, type Given, run, UsageError } from './support/cli.ts'

const USAGE = `${callOf('room')} VERB [...]

  list                    the rooms, one line each
  get [SETTING...]        settings that are not defaults, or these
  set NAME=VALUE...       changes settings live: rate=500, places=2000, message="Back at one."
  reset SETTING|all       back to the deployed file
  hold, release           stops all admissions, and goes on
  watch                   one line a second, until it is stopped
  events, reports, changes, audit, alerts, health
  history                 the figures of the past, as CSV
  report [ID]             a report of an event; without ID of the time from --from to --to
  forecast [rate=500]     how the line goes on
  session SID, end SID    looks at a session, or ends it

The address and the token come from ANTESALA_URL and ANTESALA_TOKEN, or from flags. A change is made only if no other
change comes between reading and writing. Exit code 1 when the API refuses, 2 for a mistake in the command.`

const FLAGS = {
  url: { value: 'URL', help: 'the admin host: https://admin.example.com' },
  'token-file': { value: 'FILE', help: 'a file with the token' },
  room: { value: 'NAME', help: 'the room; needed where there are several (ANTESALA_ROOM)' },
  prefix: { value: 'P', help: 'the control prefix', default: '/.waiting-room' },
  json: { help: 'prints JSON, for programs' },
  'if-version': { value: 'V', help: 'changes only this version of the room' },
  seconds: { value: 'N', help: 'watch: how many lines' },
  from: { value: 'TIME', help: 'history, report, audit: from 2026-11-27T09:00Z' },
  to: { value: 'TIME', help: 'history, report, audit: until then' },
  step: { value: 'MINUTES', help: 'history: the length of a step' },
  form: { value: 'FORM', help: 'history: csv or json. report: html, csv or json' },
  zone: { value: 'ZONE', help: 'report: the time zone of the page, such as Europe/Madrid' },
}

await run(USAGE, FLAGS, main, 'some')

async function main(given: Given): Promise<number> {
  const [name, ...words] = given._
  const verb = name !== undefined && Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
  if (!verb) throw new UsageError(name === undefined ? 'a verb is missing' : unknownVerb(name))
  const client = clientOf(given)
  const room = name === 'list' ? '' : await roomOf(given, client)
  const { text, json } = await verb({ client, room, words, given })
  if (given.json === 'true' && json !== null) console.log(JSON.stringify(json, null, 2))
  else if (text !== '') console.log(text)
  return 0
}

function unknownVerb(name: string): string {
  const meant = nearest(name, Object.keys(VERBS))
  return `there is no verb ${name}${meant === null ? '' : `: did you mean ${meant}?`}`
}

function clientOf(given: Given): AdminClient {
  const url = given.url ?? process.env.ANTESALA_URL ?? ''
  const checked = url === '' ? null : address({ ...given, url } as unknown as Given, 'url')
  if (checked === null) throw new UsageError('the address of the admin host is missing: give --url or ANTESALA_URL')
  const file = given['token-file']
  const token = (file === undefined ? process.env.ANTESALA_TOKEN : readToken(file))?.trim() ?? ''
  if (token === '') throw new UsageError('the token is missing: give --token-file or ANTESALA_TOKEN')
  return new AdminClient(checked, given.prefix ?? '', token)
}

function readToken(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`--token-file ${file} cannot be read: ${(error as Error).message}`)
  }
}

async function roomOf(given: Given, client: AdminClient): Promise<string> {
  const name = given.room ?? process.env.ANTESALA_ROOM
  if (name !== undefined && name !== '') return name
  const { rooms } = await client.call('GET /rooms')
  const [only] = rooms
  if (rooms.length === 1 && only) return only.name
  throw new UsageError(`--room is missing: there are ${rooms.map(room => room.name).join(', ')}`)
}
