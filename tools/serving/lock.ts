/**
 * Allows one server per storage: two servers would each admit as many visitors as a room has places.
 *
 * Each server writes a claim of its own into the directory, and then looks for other claims. It holds the storage only
 * when it sees no other living claim, so of two servers at once at most one holds it. A claim of a dead process is
 * removed. Processes of another machine cannot be looked up, so their claims live as long as they are touched.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isAlive, machine, type Noted, note } from '../testing/processes.ts'

export interface Lock {
  /** Keeps the storage in use until the process with this `pid` has ended, too. */
  keepFor(pid: number): void
  release(): void
}

/** Another server uses the storage. The message names that server. */
export class StorageInUse extends Error {
  override name = 'StorageInUse'
}

interface Claim {
  readonly machine: string
  readonly holders: readonly Noted[]
  /** A description of the server, for the operator. */
  readonly what: string
  readonly since: string
  /** Whether the server has looked for other claims and found none. */
  readonly isHeld: boolean
}

const ENDING = '.lock'
const TOUCHED_EVERY_MS = 2_000
/** A claim of another machine is dead if its file was not touched for this long. */
const UNTOUCHED_MS = 4 * TOUCHED_EVERY_MS
const ATTEMPTS = 30

/** Throws StorageInUse when a living server holds the directory. Waits a few seconds while that is not certain. */
export async function lockStorage(directory: string, what: string): Promise<Lock> {
  mkdirSync(directory, { recursive: true })
  const name = `${process.pid}-${randomBytes(6).toString('hex')}${ENDING}`
  let claim: Claim = {
    machine: machine(),
    holders: [note(process.pid)],
    what,
    since: new Date().toISOString(),
    isHeld: false,
  }
  const write = (more: Partial<Claim>) => {
    claim = { ...claim, ...more }
    writeClaim(directory, name, claim)
  }
  const release = () => rmSync(join(directory, name), { force: true })
  for (let attempt = 1; ; attempt++) {
    write({})
    const rivals = await living(directory, name)
    const [first] = rivals.keys()
    if (first === undefined) break
    const claims = [...rivals.values()]
    const holder = claims.find(({ isHeld }) => isHeld)
    // Among servers that start at once, the first by name keeps its claim and waits until the others have withdrawn
    // theirs.
    if (holder || attempt === ATTEMPTS || first < name) release()
    if (holder || attempt === ATTEMPTS) throw new StorageInUse(inUse(directory, holder ?? (claims[0] as Claim)))
    await pause(20 + Math.random() * 80)
  }
  write({ isHeld: true })
  const touching = setInterval(() => touch(join(directory, name)), TOUCHED_EVERY_MS)
  touching.unref()
  return {
    keepFor: pid => write({ holders: [...claim.holders, note(pid)] }),
    release: () => {
      clearInterval(touching)
      release()
    },
  }
}

/** Returns the living claims of other servers, in the order of their names. Removes dead ones. */
async function living(directory: string, own: string): Promise<Map<string, Claim>> {
  const names = readdirSync(directory).filter(name => name.endsWith(ENDING) && name !== own)
  const found = await Promise.all(
    names.sort().map(async (name): Promise<[string, Claim][]> => {
      const file = join(directory, name)
      const claim = readClaim(file)
      if (claim && (await isLiving(claim, file))) return [[name, claim]]
      rmSync(file, { force: true })
      return []
    }),
  )
  return new Map(found.flat())
}

async function isLiving(claim: Claim, file: string): Promise<boolean> {
  if (claim.machine === machine()) return claim.holders.some(isAlive)
  // The clock of another machine may be wrong, so it only matters whether the time of the file changes.
  const before = touchedMs(file)
  const endMs = performance.now() + UNTOUCHED_MS
  while (performance.now() < endMs) {
    await pause(250)
    const now = touchedMs(file)
    if (now === null) return false
    if (now !== before) return true
  }
  return false
}

function inUse(directory: string, { holders, what, since, machine: where }: Claim): string {
  const pids = holders.map(({ pid }) => pid).join(' and ')
  const elsewhere = where === machine() ? '' : ' of another machine or container'
  const holder = `${directory} is in use by process ${pids}${elsewhere} (${what}, since ${since})`
  return `${holder}. Two servers on one storage would let in twice as many: stop that one, or name another directory`
}

/** Writes the file in one step, so that no server reads half of it. */
function writeClaim(directory: string, name: string, claim: Claim): void {
  const file = join(directory, name)
  writeFileSync(`${file}.new`, JSON.stringify(claim))
  renameSync(`${file}.new`, file)
}

/** Returns null when the file is not a claim, or has been removed. */
function readClaim(file: string): Claim | null {
  try {
    const claim = JSON.parse(readFileSync(file, 'utf8')) as Partial<Claim>
    return typeof claim.machine === 'string' && Array.isArray(claim.holders) ? (claim as Claim) : null
  } catch {
    return null
  }
}

function touchedMs(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null
}

function touch(file: string): void {
  const now = new Date()
  try {
    utimesSync(file, now, now)
  } catch (error) {
    console.error(`the lock ${file} cannot be kept: ${(error as Error).message}`)
  }
}
