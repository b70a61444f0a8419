/** A real Firefox, driven by WebDriver BiDi (W3C): one window, which goes to addresses and runs scripts. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import WebSocket from 'ws'
import { startChild } from '../../tools/support/children.ts'

export interface Firefox {
  goto(url: string): Promise<void>
  /** Runs an expression in the page. Returns its value, which must be a string, a number or a boolean. */
  evaluate(expression: string): Promise<unknown>
  stop(): Promise<void>
}

interface Answer {
  readonly id?: number
  readonly type: string
  readonly message?: string
  readonly result?: unknown
}

export async function startFirefox(command: string): Promise<Firefox> {
  const profile = mkdtempSync(join(tmpdir(), 'antesala-firefox-'))
  const args = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0']
  const firefox = startChild(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const address = await new Promise<string>((resolve, reject) => {
    let printed = ''
    firefox.process.stderr?.on('data', chunk => {
      printed += chunk
      const [, url] = /WebDriver BiDi listening on (ws:\S+)/.exec(printed) ?? []
      if (url !== undefined) resolve(`${url}/session`)
    })
    void firefox.ended.then(() => reject(new Error(`Firefox has not started: ${printed}`)))
  })
  const socket = new WebSocket(address)
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const asked = new Map<number, (answer: Answer) => void>()
  socket.on('message', data => {
    const answer = JSON.parse(String(data)) as Answer
    if (answer.id !== undefined) asked.get(answer.id)?.(answer)
  })
  let last = 0
  const send = async <Result>(method: string, params: object): Promise<Result> => {
    const id = ++last
    const answer = await new Promise<Answer>(resolve => {
      asked.set(id, resolve)
      socket.send(JSON.stringify({ id, method, params }))
    })
    asked.delete(id)
    if (answer.type === 'error') throw new Error(`${method}: ${answer.message}`)
    return answer.result as Result
  }
  await send('session.new', { capabilities: {} })
  const { contexts } = await send<{ contexts: { context: string }[] }>('browsingContext.getTree', {})
  const context = contexts[0]?.context
  return {
    goto: url => send('browsingContext.navigate', { context, url, wait: 'complete' }),
    async evaluate(expression) {
      const call = { expression, target: { context }, awaitPromise: true }
      const { result } = await send<{ result?: { value?: unknown } }>('script.evaluate', call)
      return result?.value
    },
    async stop() {
      socket.close()
      await firefox.stop()
      rmSync(profile, { recursive: true, force: true })
    },
  }
}
