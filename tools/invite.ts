/** Prints an invitation to a room, so that an operator can try one. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ROOT } from './support/build.ts'
import { address, type Given, number, run, UsageError } from './support/cli.ts'
import { signInvitation } from './support/invitation.ts'
import { developmentSecrets } from './support/secrets.ts'

const USAGE = `npm run invite -- --room R [--lane L] [--sub S] [--minutes N] [--url URL] [--file FILE]

Prints an invitation to a room, or with --url a link that carries it. It is signed with the newest key that
\`npm run keys -- invite --room R\` has added to the secret ROOM_KEYS, which comes from --file, from the variable, or from .dev.vars.`

const FLAGS = {
  room: { value: 'NAME', help: 'the room of the invitation' },
  lane: { value: 'NAME', help: 'the lane; the main one when not given' },
  sub: { value: 'TEXT', help: 'the person: all browsers that show it share one place and one session' },
  minutes: { value: 'N', help: 'how long it is valid', default: '1440' },
  url: { value: 'URL', help: 'print a link to this page' },
  file: { value: 'FILE', help: 'the secret' },
}

await run(USAGE, FLAGS, main)

async function main(given: Given): Promise<number> {
  const { room, lane, sub } = given
  if (room === undefined) throw new UsageError('--room must be the name of a room, got nothing')
  const expiresMs = Date.now() + 60_000 * number(given, 'minutes', 1, 5_256_000)
  const url = address(given, 'url')
  const guest = { room, expiresMs, ...(lane === undefined ? {} : { lane }), ...(sub === undefined ? {} : { sub }) }
  const invitation = await signInvitation(await secretOf(given), guest)
  if (url === null) console.log(invitation)
  else {
    const link = new URL(url)
    link.search += `${link.search === '' ? '' : '&'}invite=${invitation}`
    console.log(link.href)
  }
  return 0
}

async function secretOf(given: Given): Promise<string> {
  if (given.file !== undefined) {
    if (!existsSync(given.file)) throw new UsageError(`--file must be a file, got ${given.file}`)
    return readFileSync(given.file, 'utf8')
  }
  return process.env.ROOM_KEYS ?? (await developmentSecrets(resolve(ROOT, '.dev.vars'))).ROOM_KEYS
}
