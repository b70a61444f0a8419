/** Prints the next value of the secret `ROOM_KEYS` or `ADMIN_TOKENS`, from the present one. */
import { readFileSync } from 'node:fs'
import { isTokenName, ROLES, type Role, readNamedTokens } from '../src/settings/admin/named-tokens.ts'
import { parseKeys } from '../src/tokens/keyring.ts'
import {
  addInvitationKey,
  addKeys,
  dropInvitationKeys,
  dropKeys,
  newKeys,
  promoteKeys,
} from '../src/tokens/rotation.ts'
import { callOf, type Given, number, run, UsageError } from './support/cli.ts'
import { withNewToken, withoutTokens } from './support/named-tokens.ts'

const USAGE = `${callOf('keys')} new|add|promote|drop|invite|drop-invite|token|revoke [--file FILE] [FLAGS]

Prints the next value of the secret ROOM_KEYS:
  new          a first key of each kind
  add          one more of each kind, which only verifies: deploy this first
  promote      the newest keys sign, the others verify: deploy this second
  drop         without the keys that no longer sign: deploy this when the longest session has ended, and at least 24
               hours later
  invite       one more key for invitations to --room; \`npm run invite\` signs with it, and so can anyone who has its k
  drop-invite  without the older keys for invitations to --room
The present secret comes from --file, from the variable ROOM_KEYS, or from standard input.

Prints the next value of the secret ADMIN_TOKENS:
  token        one more token for the admin API, of --name with --role; the token itself goes to standard error, once
  revoke       without the tokens of --name, or with --keep-newest without the older ones
The present secret comes from --file or from the variable ADMIN_TOKENS. Without both the list begins anew.

  npm run -s keys -- new | npx wrangler secret put ROOM_KEYS
  npm run -s keys -- token --name ana --role operator > tokens.json && npx wrangler secret put ADMIN_TOKENS < tokens.json`

const FLAGS = {
  file: { value: 'FILE', help: 'the present secret' },
  room: { value: 'NAME', help: 'the room of the invitation' },
  label: { value: 'TEXT', help: 'name of new keys; the present minute when not given' },
  name: { value: 'NAME', help: 'the person or program that has the token' },
  role: { value: 'ROLE', help: `what the token may do: ${ROLES.join(', ')}` },
  days: { value: 'N', help: 'days until the token expires', default: '90' },
  'keep-newest': { help: 'revoke the older tokens only' },
}

/** Each command prints its result. */
const COMMANDS: Readonly<Record<string, (given: Given) => Promise<number> | number>> = {
  new: async given => printKeys(await newKeys(labelOf(given))),
  add: async given => printKeys(await addKeys(presentKeys(given), labelOf(given))),
  promote: given => printKeys(promoteKeys(presentKeys(given))),
  drop: given => printKeys(dropKeys(presentKeys(given))),
  invite: async given => printKeys(await addInvitationKey(presentKeys(given), roomOf(given), labelOf(given))),
  'drop-invite': given => printKeys(dropInvitationKeys(presentKeys(given), roomOf(given))),
  token: addToken,
  revoke: revokeTokens,
}

await run(USAGE, FLAGS, main, 'some')

async function main(given: Given): Promise<number> {
  const names = Object.keys(COMMANDS).join(', ')
  const [step, ...more] = given._
  if (step === undefined || more.length > 0) throw new UsageError(`expected one command of ${names}`)
  const command = Object.hasOwn(COMMANDS, step) ? COMMANDS[step] : undefined
  if (!command) throw new UsageError(`the command must be one of ${names}, got ${step}`)
  return command(given)
}

function addToken(given: Given): number {
  const role = ROLES.find(role => role === given.role)
  if (!role) throw new UsageError(`--role must be ${ROLES.join(', ')}, got ${given.role ?? 'nothing'}`)
  const wanted: { name: string; role: Role; days: number } = {
    name: nameOf(given),
    role,
    days: number(given, 'days', 1, 400),
  }
  const { token, tokens } = withNewToken(presentTokens(given), wanted, Date.now())
  const next = JSON.stringify(tokens)
  readNamedTokens({ ADMIN_TOKENS: next })
  console.error(`The token of ${wanted.name} (${role}, ${wanted.days} days). It is shown only here:\n${token}`)
  console.log(next)
  return 0
}

function revokeTokens(given: Given): number {
  const keep = given['keep-newest'] === 'true' ? 'newest' : 'none'
  console.log(JSON.stringify(withoutTokens(presentTokens(given), nameOf(given), keep, Date.now())))
  return 0
}

function nameOf({ name }: Given): string {
  if (name !== undefined && isTokenName(name)) return name
  throw new UsageError(`--name must be 1 to 40 letters, digits or . _ @ + -, got ${name ?? 'nothing'}`)
}

function labelOf(given: Given): string {
  const label = given.label ?? new Date().toISOString().slice(0, 16).replaceAll(/\D/g, '')
  if (!/^[\w-]{1,40}$/.test(label)) throw new UsageError(`--label must be letters, digits, - or _, got ${label}`)
  return label
}

function roomOf(given: Given): string {
  const { room } = given
  if (room === undefined || !/^[a-z0-9][a-z0-9_-]{0,31}$/i.test(room)) {
    throw new UsageError(`--room must be the name of a room, got ${room ?? 'nothing'}`)
  }
  return room
}

function presentKeys(given: Given) {
  if (given.file !== undefined) return parseKeys(readFileSync(given.file, 'utf8'))
  return parseKeys(process.env.ROOM_KEYS ?? readFileSync(0, 'utf8'))
}

function presentTokens({ file }: Given) {
  return readNamedTokens({
    ADMIN_TOKENS: file === undefined ? (process.env.ADMIN_TOKENS ?? '') : readFileSync(file, 'utf8'),
  })
}

function printKeys(keys: readonly unknown[]): number {
  console.log(JSON.stringify({ keys }))
  return 0
}
