/** The page of a visitor who has just left the line. It never reloads, because a reload would take a new place. */
import html from '../../../../static/left.html'
import type { RoomConfig } from '../../../settings/schema.ts'
import type { Visit } from '../../request/visit.ts'
import { languageFor } from '../../texts/choose.ts'
import { headersFor, type Page, pageStyle, template, variablesOf } from '../page.ts'

const render = template(html)
const headers = headersFor({ styles: [pageStyle] })

/** Returns the page. `againUrl` is the address at which the visitor can stand in line again. */
export async function leftPage(visit: Visit, room: RoomConfig, againUrl: string): Promise<Page> {
  const language = languageFor(visit, room)
  const variables = {
    ...variablesOf(visit, language, room),
    title: language.texts.leave.headline,
    againUrl,
    leadsHome: room.brand.home_url !== '',
  }
  return { html: render(variables), headers: await headers(room, language) }
}
