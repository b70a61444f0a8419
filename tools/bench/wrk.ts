/** One measurement: how many requests a second a target answers, by wrk on one thread. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startChild } from '../support/children.ts'
import { needProgram } from '../testing/programs.ts'

export interface Target {
  readonly name: string
  readonly url: string
  /** The requests use these Cookie headers one after another. If there are none, no request has a Cookie header. */
  readonly cookies?: readonly string[]
  readonly accept?: string
  /** The only status that counts as an answer. */
  readonly status: number
}

export interface Measured {
  readonly perSecond: number
  /** Answers with another status, and broken connections. */
  readonly wrong: number
}

const CONNECTIONS = 32
/**
 * Requests are sent for this long before each measurement. They renew leases, snapshots and compiled code that have
 * expired, as steady traffic does.
 */
const WARM_UP_SECONDS = 2

export async function measure(target: Target, seconds: number, scratch: string): Promise<Measured> {
  const script = join(scratch, `${target.name.replaceAll(/\W/g, '-')}.lua`)
  writeFileSync(script, scriptOf(target))
  const wrk = (forSeconds: number, from: number) =>
    runWrk(['-t1', `-c${CONNECTIONS}`, `-d${forSeconds}s`, '-s', script, target.url, '--', String(from)])
  const warmUp = readResult(await wrk(WARM_UP_SECONDS, 0))
  // Each connection may have sent one request that was not answered.
  const { requests, wrong, micros } = readResult(await wrk(seconds, warmUp.requests + CONNECTIONS))
  return { perSecond: (requests - wrong) / (micros / 1e6), wrong }
}

function readResult(output: string): { requests: number; wrong: number; micros: number } {
  const [, requests, wrong, micros] = /RESULT (\d+) (\d+) (\d+)/.exec(output) ?? []
  if (requests === undefined) throw new Error(`wrk printed no result: ${output}`)
  return { requests: Number(requests), wrong: Number(wrong), micros: Number(micros) }
}

/** Builds the requests once, and sends them in order from a given one on. Counts answers with another status. */
function scriptOf({ cookies = [], accept, url, status }: Target): string {
  const { pathname, search } = new URL(url)
  const headers = accept === undefined ? '' : `["Accept"] = ${JSON.stringify(accept)}, `
  const list = cookies.length === 0 ? [''] : cookies
  return `
local requests = {}
local cookies = {${list.map(cookie => JSON.stringify(cookie)).join(',')}}
local turn = 0
local threads = {}
wrong = 0
function setup(thread) table.insert(threads, thread) end
function init(args)
  turn = tonumber(args[1])
  for i, cookie in ipairs(cookies) do
    local headers = {${headers}}
    if cookie ~= "" then headers["Cookie"] = cookie end
    requests[i] = wrk.format("GET", ${JSON.stringify(pathname + search)}, headers)
  end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
function response(status) if status ~= ${status} then wrong = wrong + 1 end end
function done(summary)
  local all = 0
  for _, thread in ipairs(threads) do all = all + thread:get("wrong") end
  local broken = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format("RESULT %d %d %d\\n", summary.requests, all + broken, summary.duration))
end
`
}

async function runWrk(args: readonly string[]): Promise<string> {
  const { process: child } = startChild(await needProgram('wrk'), args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout?.on('data', chunk => {
    output += chunk
  })
  await once(child, 'close')
  return output
}
