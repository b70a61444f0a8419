/**
 * The pages of a transfer: the code, for the browser that has the place, and the question, for the browser that gets
 * it.
 */
import { generate } from 'lean-qr'
import { toSvgSource } from 'lean-qr/extras/svg'
import codeCss from '../../../../static/code.css'
import takeHtml from '../../../../static/take.html'
import part from '../../../../static/transfer.html'
import whole from '../../../../static/transfer-page.html'
import type { Visit } from '../../request/visit.ts'
import type { RoomView } from '../../room-client/room-client.ts'
import { languageFor } from '../../texts/choose.ts'
import { codeUrl, takeUrl } from '../addresses.ts'
import { compactStyle } from '../compact.ts'
import { headersFor, type Page, pageStyle, template, variablesOf } from '../page.ts'

/** A page with a code returns to the line twice in a claim window, so that no turn is missed. */
const BACKS_PER_MINUTE = 30
const BACK_MAX_SECONDS = 300
/** The size of one square of the QR code in pixels, and its white margin in squares (ISO/IEC 18004). */
const MODULE = { scale: 5, pad: 4 } as const
const CODE_STYLE = compactStyle(codeCss)

const renderPart = template(part)
const renderWhole = template(whole)
const renderTake = template(takeHtml)
const headers = headersFor({ styles: [pageStyle] })
const takeHeaders = headersFor({ styles: [pageStyle, CODE_STYLE] })

/** A code as a page shows it. `to` is the path at which the visitor waits. */
export interface ShownCode {
  readonly code: string
  readonly state: string
  readonly to: string
}

/** Returns the part of the waiting page that shows a code. The page's script inserts it. */
export function codePart(visit: Visit, room: RoomView, code: string): string {
  return renderPart({ ...codeVariables(visit, room, code), t: languageFor(visit, room.settings.config).texts })
}

/** Returns a page with a code, for browsers without scripts. It returns to the line by itself. */
export async function codePage(visit: Visit, room: RoomView, { code, state, to }: ShownCode): Promise<Page> {
  const { config } = room.settings
  const language = languageFor(visit, config)
  const html = renderWhole({
    ...variablesOf(visit, language, config),
    ...codeVariables(visit, room, code),
    title: language.texts.transfer.headline,
    isWhole: true,
    state,
    backUrl: to,
    refreshSeconds: Math.min(BACK_MAX_SECONDS, Math.ceil(config.claim_window * BACKS_PER_MINUTE)),
    leadsHome: false,
  })
  return { html, headers: await headers(config, language) }
}

/** Returns the page on which a browser takes a place. Loading the page uses up no code. */
export async function takePage(
  visit: Visit,
  room: RoomView,
  shown: { readonly code: string; readonly by: string; readonly isInvalid: boolean },
): Promise<Page> {
  const { config } = room.settings
  const language = languageFor(visit, config)
  const html = renderTake({
    ...variablesOf(visit, language, config),
    ...shown,
    title: language.texts.transfer.here,
    codeStyle: CODE_STYLE,
    takeUrl: takeUrl(visit, room),
    leadsHome: false,
  })
  return { html, headers: unframed(await takeHeaders(config, language, true)) }
}

/** Returns the address that another browser opens. It is absolute, because people copy it. */
export function linkOf(visit: Visit, room: RoomView, code: string): string {
  return visit.url.origin + codeUrl(visit, room, code)
}

function codeVariables(visit: Visit, room: RoomView, code: string) {
  const url = linkOf(visit, room, code)
  const picture = toSvgSource(generate(url), { off: '#fff', ...MODULE })
  return { code, url, picture, enterUrl: codeUrl(visit, room, null) }
}

/** The page may not be shown in a frame, where another site could get visitors to click its button unknowingly. */
function unframed(headers: Page['headers']): Page['headers'] {
  return { ...headers, 'X-Frame-Options': 'DENY' }
}
