/** A real Redis behind the interface that other limiters take. It runs their scripts as they are; what they send is counted. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { startRedis } from '../support/redis.ts'

/** Upstash's own server knows this mark of a script, others do not: it allows it to run beside others, and changes nothing that it does. */
const UPSTASH_MARK = /^#!lua flags=allow-key-locking\n/

/** Keys end by a clock that is given with each call: this Redis has been told nothing of a virtual one. */
const BY_CLOCK = `
local clock = tonumber(table.remove(ARGV))
local server = redis
for _, key in ipairs(KEYS) do
  local ends = server.call('HGET', 'ends', key)
  if ends and tonumber(ends) <= clock then
    server.call('DEL', key)
    server.call('HDEL', 'ends', key)
  end
end
local redis = { call = function(command, key, ...)
  if command == 'PEXPIRE' then return server.call('HSET', 'ends', key, clock + tonumber((...))) end
  if command == 'PTTL' then return tonumber(server.call('HGET', 'ends', key) or clock) - clock end
  return server.call(command, key, ...)
end }
`

/** What limiters know of a Redis. */
export class Scripts {
  /** Commands that were sent, without the loading of scripts. */
  calls = 0
  readonly #redis: Redis
  readonly #keysEndBy: 'redis' | 'clock'
  /** The server's hashes by those that limiters know. */
  readonly #known = new Map<string, string>()

  constructor(redis: Redis, keysEndBy: 'redis' | 'clock') {
    this.#redis = redis
    this.#keysEndBy = keysEndBy
  }

  async scriptLoad(script: string): Promise<string> {
    const hash = createHash('sha1').update(script).digest('hex')
    const plain = script.replace(UPSTASH_MARK, '')
    const loaded = await this.#redis.script('LOAD', this.#keysEndBy === 'clock' ? BY_CLOCK + plain : plain)
    this.#known.set(hash, String(loaded))
    return hash
  }

  async evalsha<Args extends unknown[], Data = unknown>(hash: string, keys: string[], args: Args): Promise<Data> {
    const known = this.#known.get(hash)
    if (known === undefined) throw new Error('NOSCRIPT No matching script')
    this.calls++
    const values = args.map(arg => (typeof arg === 'number' ? arg : String(arg)))
    if (this.#keysEndBy === 'clock') values.push(Date.now())
    return (await this.#redis.evalsha(known, keys.length, ...keys, ...values)) as Data
  }

  async eval<Args extends unknown[], Data = unknown>(script: string, keys: string[], args: Args): Promise<Data> {
    return this.evalsha<Args, Data>(await this.scriptLoad(script), keys, args)
  }
}

/** A Redis on a socket of its own: nearer than any network would have it. */
export async function withRedis<Result>(use: (redis: Redis) => Promise<Result>): Promise<Result> {
  const scratch = mkdtempSync(join(tmpdir(), 'antesala-compare-'))
  const socket = join(scratch, 'redis.sock')
  const child = await startRedis({ socket })
  const redis = new Redis({
    path: socket,
    enableAutoPipelining: true,
    retryStrategy: tries => (tries < 100 ? 50 : null),
  })
  redis.on('error', () => undefined) // While it starts; a command that fails says so itself.
  try {
    return await use(redis)
  } finally {
    redis.disconnect()
    await child.stop()
    rmSync(scratch, { recursive: true, force: true })
  }
}
