/**
 * A walk through WordPress behind a room. An author writes a post, and a reader writes a comment. Meanwhile the room is
 * open, held and full, and their sessions end in the middle.
 */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { login } from './site.ts'

const SHOWN_WITHIN_MS = 20_000
/** The address of the REST API at which the editor saves a post. */
const POSTS = /\/wp\/v2\/posts\b/
/** The room's own words, which the editor shows beside its own. */
const MESSAGE = 'Many people are here. Your text is safe: press save again in a minute.'
const PRESSES_MAX = 10
/** A change is in force at every edge within two seconds. */
const IN_FORCE_MS = 2_500

interface Step {
  readonly room: string
  readonly what: string
  readonly outcome: string
  readonly isKept: boolean
}

/** The parts of a walk that all steps share. */
interface Walk {
  readonly browser: Browser
  readonly url: string
  readonly steps: Step[]
  set(settings: object): Promise<void>
}

/** Returns 1 when a text was lost, else 0. */
export async function walk(browser: Browser, url: string, adminToken: string): Promise<number> {
  const steps: Step[] = []
  const set = async (settings: object) => {
    const answer = await fetch(`${url}/.waiting-room/api/v1/rooms/blog`, {
      method: 'PATCH',
      headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(settings),
    })
    if (!answer.ok) throw new Error(await answer.text())
    await new Promise(resolve => setTimeout(resolve, IN_FORCE_MS))
  }
  const all: Walk = { browser, url, steps, set }
  await write(all, await visitor(browser))
  await comment(all)
  console.log('| room | what | outcome | text |\n|---|---|---|---|')
  for (const { room, what, outcome, isKept } of steps)
    console.log(`| ${room} | ${what} | ${outcome} | ${isKept ? 'kept' : 'LOST'} |`)
  return steps.every(({ isKept }) => isKept) ? 0 : 1
}

async function visitor(browser: Browser): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 900 } })
  context.setDefaultTimeout(SHOWN_WITHIN_MS)
  return context
}

/** An author writes a post and saves it, in each state of the room. */
async function write({ browser, url, steps, set }: Walk, context: BrowserContext): Promise<void> {
  const page = await context.newPage()
  await login(page, url)
  await page.goto(`${url}/wp-admin/post-new.php`)
  // When the editor is opened for the first time, a guide covers it.
  await page.locator('.edit-post-visual-editor').first().waitFor()
  await page.keyboard.press('Escape')
  const title = page.locator('.editor-post-title__input').first()
  const save = async (text: string) => {
    await title.fill(text)
    const answer = page.waitForResponse(
      response => response.request().method() !== 'GET' && POSTS.test(decodeURIComponent(response.url())),
    )
    await page.locator('.editor-post-save-draft, .editor-post-publish-button').first().click()
    return (await answer).status()
  }
  const stored = async () => {
    const other = await context.newPage()
    await other.goto(`${url}/wp-admin/edit.php`)
    const titles = await other.locator('.row-title').allTextContents()
    await other.close()
    return titles.join()
  }
  const note = async (room: string, what: string, text: string, outcome: string) => {
    steps.push({ room, what, outcome, isKept: (await stored()).includes(text) })
  }
  let status = await save('Written in an open room')
  await note('open', 'an author saves a post', 'Written in an open room', `saved (${status})`)

  await set({ queue_all: true })
  status = await save('Written in a held room')
  await note('held', 'the author saves again', 'Written in a held room', `saved (${status})`)
  const stranger = await (await visitor(browser)).newPage()
  const answer = await stranger.goto(url)
  steps.push({
    room: 'held',
    what: 'a stranger opens the site',
    outcome: `the line (${answer?.status()})`,
    isKept: true,
  })
  await stranger.context().close()

  await set({ queue_all: false, total_active_users: 1 })
  status = await save('Written in a full room')
  await note('full', 'the author saves again', 'Written in a full room', `saved (${status})`)

  // The session ends while the author writes, and the room is held.
  await set({ queue_all: true, total_active_users: 100, message: MESSAGE })
  await page.evaluate(() => fetch('/.waiting-room/leave', { method: 'POST' }))
  status = await save('Written after the session')
  const inEditor = (await title.textContent()) ?? ''
  const words = await page.locator('.components-notice.is-error').first().textContent()
  steps.push({
    room: 'held, session over',
    what: 'the author saves again',
    outcome: `not saved (${status}): "${words?.trim()}" The text stays in the editor`,
    isKept: inEditor === 'Written after the session',
  })
  await set({ queue_all: false })
  let presses = 0
  do {
    presses++
    status = await save('Written after the session, once more')
  } while (status === 503 && presses < PRESSES_MAX)
  const outcome = `saved (${status}) at press ${presses}`
  await note('open again', 'the author saves once more', 'Written after the session, once more', outcome)
  await page.close()
}

/** A reader writes a comment, whose session ends before it is sent. */
async function comment({ browser, url, steps, set }: Walk): Promise<void> {
  const context = await visitor(browser)
  const page: Page = await context.newPage()
  await page.goto(`${url}/?p=1`)
  await page.fill('#comment', 'A comment that took long to write')
  await page.fill('#author', 'Ana')
  await page.fill('#email', 'ana@example.com')
  await set({ queue_all: true })
  await page.evaluate(() => fetch('/.waiting-room/leave', { method: 'POST' }))
  await page.click('#submit')
  await page.getByRole('heading', { name: 'You are in line' }).waitFor()
  const waits = { room: 'held, session over', what: 'a reader sends a comment' }
  steps.push({ ...waits, outcome: 'the line, with the form in its page', isKept: true })
  await set({ queue_all: false })
  await page.getByRole('button', { name: 'Send it again' }).click({ timeout: 60_000 })
  await page.getByText('A comment that took long to write').first().waitFor()
  steps.push({
    room: 'open again',
    what: 'the reader presses "Send it again"',
    outcome: 'the comment is there',
    isKept: true,
  })
  await context.close()
}
