/** The page that sends a form of another site once more, to the same address. It shows nothing of the form. */
import html from '../../../static/resubmit.html'
import js from '../../../static/resubmit.js'
import type { RoomConfig } from '../../settings/schema.ts'
import { carry, FORM_FIELD } from '../request/sent-form.ts'
import type { Visit } from '../request/visit.ts'
import { languageFor } from '../texts/choose.ts'
import { compact, headersFor, type Page, pageStyle, template, variablesOf } from './page.ts'

const SCRIPT = compact(js)
const render = template(html)
const headers = headersFor({ styles: [pageStyle], scripts: [SCRIPT], sendsForm: true })

export async function resubmitPage(visit: Visit, room: RoomConfig): Promise<Page> {
  const language = languageFor(visit, room)
  const { headline } = language.texts.resubmit
  const form = { script: SCRIPT, title: headline, field: FORM_FIELD, form: await carry(visit) }
  return { html: render({ ...variablesOf(visit, language), ...form }), headers: await headers(room, language) }
}
