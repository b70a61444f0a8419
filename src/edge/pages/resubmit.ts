/**
 * The page that sends a form of another site once more, to the same address. It shows nothing of the form's content.
 */
import resubmit from '../../../static/resubmit.html'
import scripts from '../../../static/scripts.json'
import type { RoomConfig } from '../../settings/schema.ts'
import type { Visit } from '../request/visit.ts'
import { languageFor } from '../texts/choose.ts'
import { formOf, headersFor, type Page, pageStyle, template, variablesOf } from './page.ts'

const SCRIPT = scripts.resubmit
const render = template(resubmit)
const headers = headersFor({ styles: [pageStyle], scripts: [SCRIPT] })

/** Returns the page, or null if the sender of the form goes away. */
export async function resubmitPage(visit: Visit, room: RoomConfig): Promise<Page | null> {
  const language = languageFor(visit, room)
  const { headline } = language.texts.resubmit
  const form = await formOf(visit)
  if (form.form === null) return null
  const html = render({ ...variablesOf(visit, language, room), ...form, script: SCRIPT, title: headline })
  return { html, headers: await headers(room, language, true) }
}
