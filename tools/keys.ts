/** Prints the next `ROOM_KEYS` secret. Reads the present one from standard input, a file, or the environment. */
import { readFileSync } from 'node:fs'
import { parseKeys } from '../src/tokens/keyring.ts'
import {
  addInvitationKey,
  addKeys,
  dropInvitationKeys,
  dropKeys,
  newKeys,
  promoteKeys,
} from '../src/tokens/rotation.ts'
import { callOf, type Given, run, UsageError } from './support/cli.ts'

const USAGE = `${callOf('keys')} new|add|promote|drop|invite|drop-invite [--file FILE] [--room R]

Prints the next value of the secret ROOM_KEYS:
  new          a first key of each kind
  add          one more of each kind, which only verifies: deploy this first
  promote      the newest keys sign, the others verify: deploy this second
  drop         without the keys that no longer sign: deploy this when the longest session has ended, and at least 24
               hours later
  invite       one more key for invitations to --room; \`npm run invite\` signs with it, and so can anyone who has its k
  drop-invite  without the older keys for invitations to --room
The present secret comes from --file, from the variable ROOM_KEYS, or from standard input.

  npm run -s keys -- new | npx wrangler secret put ROOM_KEYS`

const FLAGS = {
  file: { value: 'FILE', help: 'the present secret' },
  room: { value: 'NAME', help: 'the room of the invitation' },
  label: { value: 'TEXT', help: 'name of new keys; the present minute when not given' },
}

await run(USAGE, FLAGS, main, 'some')

async function main(given: Given): Promise<number> {
  const [step, ...more] = given._
  if (step === undefined || more.length > 0)
    throw new UsageError('expected one command: new, add, promote, drop, invite or drop-invite')
  const label = given.label ?? new Date().toISOString().slice(0, 16).replaceAll(/\D/g, '')
  if (!/^[\w-]{1,40}$/.test(label)) throw new UsageError(`--label must be letters, digits, - or _, got ${label}`)
  switch (step) {
    case 'new':
      return print(await newKeys(label))
    case 'add':
      return print(await addKeys(present(given), label))
    case 'promote':
      return print(promoteKeys(present(given)))
    case 'drop':
      return print(dropKeys(present(given)))
    case 'invite':
      return print(await addInvitationKey(present(given), roomOf(given), label))
    case 'drop-invite':
      return print(dropInvitationKeys(present(given), roomOf(given)))
    default:
      throw new UsageError(`the command must be new, add, promote, drop, invite or drop-invite, got ${step}`)
  }
}

function roomOf(given: Given): string {
  const { room } = given
  if (room === undefined || !/^[a-z0-9][a-z0-9_-]{0,31}$/i.test(room)) {
    throw new UsageError(`--room must be the name of a room, got ${room ?? 'nothing'}`)
  }
  return room
}

function present(given: Given) {
  if (given.file !== undefined) return parseKeys(readFileSync(given.file, 'utf8'))
  return parseKeys(process.env.ROOM_KEYS ?? readFileSync(0, 'utf8'))
}

function print(keys: readonly unknown[]): number {
  console.log(JSON.stringify({ keys }))
  return 0
}
