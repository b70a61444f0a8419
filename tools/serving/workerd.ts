/** A bundle in plain workerd: no node in the request path. */
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { type Child, startChild } from '../support/children.ts'
import type { Bundle } from './bundle.ts'
import { workerdConfig } from './config.ts'
import { LOOPBACK, needPort, urlOf } from './listen.ts'
import { type Lock, lockStorage } from './lock.ts'
import type { ServeOptions } from './options.ts'

export interface Served extends Child {
  readonly url: string
}

const READY_WITHIN_MS = 15_000
/** The file descriptors at which workerd finds its configuration and the pipe for its control messages. */
const CONFIG_FD = 3
const NEWS_FD = 4

/**
 * Starts workerd and waits until it answers. Throws with workerd's output when it does not answer, StorageInUse when
 * another server holds the storage, and PortTaken when the port is taken.
 */
export async function startWorkerd(bundle: Bundle, options: ServeOptions): Promise<Served> {
  const { storage, host = LOOPBACK, port } = options
  // The runtime's own in-memory storage has no SQL. So `memory` is a directory that is removed at the end.
  if (storage === 'memory') {
    await needPort(host, port)
    const scratch = mkdtempSync(join(memoryDisk(), 'antesala-'))
    return run(bundle, options, { directory: scratch, lock: null })
  }
  const lock = await lockStorage(storage, `on port ${port}`)
  try {
    await needPort(host, port)
    return await run(bundle, options, { directory: storage, lock })
  } catch (error) {
    lock.release()
    throw error
  }
}

interface Storage {
  readonly directory: string
  /** The lock of the directory; null for a directory that is removed at the end. */
  readonly lock: Lock | null
}

async function run(bundle: Bundle, options: ServeOptions, { directory, lock }: Storage): Promise<Served> {
  const config = unlinkedFile(workerdConfig(bundle, options, directory))
  const args = ['serve', '--import-path=/', '--control-fd', String(NEWS_FD), `/dev/fd/${CONFIG_FD}`]
  const child = startChild(bundle.workerd, args, {
    stdio: ['ignore', 'inherit', 'pipe', config, 'pipe'],
    ...(lock === null ? { scratch: directory } : {}),
  })
  closeSync(config)
  let words = ''
  child.process.stderr?.on('data', chunk => {
    words = (words + chunk).slice(-4_000)
    process.stderr.write(chunk)
  })
  const ended = child.ended.finally(() => lock?.release())
  const stop = async () => {
    await child.stop()
    await ended
  }
  const url = urlOf(options.host ?? LOOPBACK, options.port)
  try {
    if (child.process.pid === undefined) throw new Error(`${bundle.workerd} cannot be started`)
    lock?.keepFor(child.process.pid)
    await untilListening(child)
    await untilAnswering(`${url}${options.controlPrefix ?? '/.waiting-room'}/healthz`, child)
  } catch (error) {
    await stop()
    throw new Error(`workerd did not start on port ${options.port}: ${words || (error as Error).message}`)
  }
  return { url, process: child.process, ended, stop }
}

/** Writes a file that can be reached only by its descriptor, so that no secret is left on the disk. */
function unlinkedFile(text: string): number {
  const directory = mkdtempSync(join(tmpdir(), 'antesala-'))
  const file = join(directory, 'workerd.capnp')
  const descriptor = openSync(file, 'wx+', 0o600)
  unlinkSync(file)
  rmSync(directory, { recursive: true })
  writeFileSync(descriptor, text)
  return descriptor
}

/** Returns a directory in memory, if there is one. Commits are fast there. On Linux it is /dev/shm. */
function memoryDisk(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
}

/** Waits until the runtime reports that it listens. An answer on the port could come from another process. */
async function untilListening(child: Child): Promise<void> {
  const news = child.process.stdio[NEWS_FD] as Readable
  const listens = once(news, 'data', { signal: AbortSignal.timeout(READY_WITHIN_MS) })
  const code = await Promise.race([listens.then(() => null), child.ended])
  if (code !== null) throw new Error(`it ended with code ${code}`)
}

async function untilAnswering(url: string, child: Child): Promise<void> {
  const endMs = Date.now() + READY_WITHIN_MS
  while (Date.now() < endMs) {
    if (child.process.exitCode !== null) throw new Error(`it ended with code ${child.process.exitCode}`)
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(1_000) })
      if (response.ok) return
    } catch {
      // The runtime does not listen yet.
    }
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error(`no answer from ${url} within ${READY_WITHIN_MS / 1_000} s`)
}
