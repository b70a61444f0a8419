/** The page of a rejected visitor, who gets no place. Nothing on it moves, and it never reloads. */
import html from '../../../static/rejected.html'
import { needsInvitation, type OnPage, type Rejected } from '../gate/verdict.ts'
import type { Visit } from '../request/visit.ts'
import { languageFor } from '../texts/choose.ts'
import type { Language } from '../texts/language.ts'
import { withLinks } from './links.ts'
import { formOf, headersFor, type Page, pageStyle, template, variablesOf } from './page.ts'
import { rejectedJson } from './place-json.ts'

const render = template(html)
const headers = headersFor({ styles: [pageStyle] })

export async function rejectedPage(visit: Visit, verdict: OnPage<Rejected>): Promise<Page> {
  const language = languageFor(visit, verdict.room.settings.config)
  const { cfWaitingRoom, message, messageLanguage } = rejectedJson(visit, verdict)
  const text = textOf(verdict, language)
  const form = await formOf(visit)
  const variables = {
    ...variablesOf(visit, language, verdict.room.settings.config),
    ...form,
    ...text,
    title: text.headline,
    ...cfWaitingRoom,
    message,
    messageHtml: withLinks(message),
    comesAgain: !needsInvitation(verdict.why),
    leadsHome: verdict.room.settings.config.brand.home_url !== '',
    messageLanguage,
  }
  return { html: render(variables), headers: await headers(verdict.room.settings.config, language, form.form) }
}

function textOf({ why, snapshot }: OnPage<Rejected>, { texts }: Language) {
  const { uninvited, invalidInvitation, soldOut, noPlace } = texts.rejected
  switch (why) {
    case 'uninvited':
      return uninvited
    case 'invalid-invitation':
      return invalidInvitation
    case 'sold-out':
    case 'rejects-newcomers':
    case 'no-snapshot':
    case 'no-permit':
    case 'no-answer':
    case 'network-quota':
      return snapshot?.soldOut ? soldOut : noPlace
  }
}
