/** Development secrets in `.dev.vars`: made on the first run, never committed. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { addInvitationKey, newKeys } from '../../src/tokens/rotation.ts'

export interface Secrets {
  readonly ROOM_KEYS: string
  readonly ADMIN_TOKEN: string
}

export function newAdminToken(): string {
  return randomBytes(24).toString('base64url')
}

/** Makes new keys, with an invitation key for each of the rooms. */
export async function newRoomKeys(rooms: readonly string[] = []): Promise<string> {
  const label = new Date().toISOString().slice(0, 10).replaceAll('-', '')
  let keys = await newKeys(label)
  for (const room of rooms) keys = await addInvitationKey(keys, room, label)
  return JSON.stringify({ keys })
}

/** Reads the secrets of a `.dev.vars`, and adds those that are missing. */
export async function developmentSecrets(file: string): Promise<Secrets & { readonly created: boolean }> {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const known = Object.fromEntries(
    [...text.matchAll(/^(\w+)=(?:'(.*)'|"(.*)"|(.*))$/gm)].map(m => [m[1], m[2] ?? m[3] ?? m[4] ?? '']),
  )
  const secrets = {
    ROOM_KEYS: known.ROOM_KEYS ?? (await newRoomKeys()),
    ADMIN_TOKEN: known.ADMIN_TOKEN ?? newAdminToken(),
  }
  const missing = Object.entries(secrets).filter(([name]) => known[name] === undefined)
  if (missing.length > 0) {
    const lines = missing.map(([name, value]) => `${name}='${value}'\n`).join('')
    const gap = text === '' || text.endsWith('\n') ? '' : '\n'
    writeFileSync(file, text + gap + lines, { mode: 0o600 })
  }
  return { ...secrets, created: missing.length > 0 }
}
