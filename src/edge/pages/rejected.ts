/** The page of a rejected visitor, who gets no place. It never changes or reloads. */
import codeCss from '../../../static/code.css'
import html from '../../../static/rejected.html'
import { INVITE } from '../gate/invitation.ts'
import { needsInvitation, type OnPage, type Rejected } from '../gate/verdict.ts'
import type { Visit } from '../request/visit.ts'
import { languageFor } from '../texts/choose.ts'
import type { Language } from '../texts/language.ts'
import { anewUrl } from './addresses.ts'
import { compactStyle } from './compact.ts'
import { withLinks } from './links.ts'
import { formOf, headersFor, leadsTo, type Page, pageStyle, template, variablesOf } from './page.ts'
import { rejectedJson } from './place-json.ts'
import { escaped } from './template.ts'

const render = template(html)
const CODE_STYLE = compactStyle(codeCss)
const headers = headersFor({ styles: [pageStyle, CODE_STYLE] })

export async function rejectedPage(visit: Visit, verdict: OnPage<Rejected>): Promise<Page> {
  const language = languageFor(visit, verdict.room.settings.config)
  const { cfWaitingRoom, message, messageLanguage } = rejectedJson(visit, verdict)
  const text = textOf(verdict, language)
  const form = await formOf(visit)
  const asksCode = needsInvitation(verdict.why)
  const isElsewhere = verdict.why === 'transferred'
  const variables = {
    ...variablesOf(visit, language, verdict.room.settings.config),
    ...form,
    ...text,
    title: text.headline,
    ...cfWaitingRoom,
    message,
    messageHtml: withLinks(message),
    comesAgain: !asksCode && !isElsewhere,
    anewUrl: isElsewhere ? anewUrl(visit, verdict.room, leadsTo(visit)) : null,
    ...(asksCode ? codeVariables(visit) : { asksCode }),
    leadsHome: verdict.room.settings.config.brand.home_url !== '',
    messageLanguage,
  }
  return {
    html: render(variables),
    headers: await headers(verdict.room.settings.config, language, asksCode || isElsewhere || form.form !== null),
  }
}

/**
 * Returns the variables of the field for an invitation. Its form requests the same address by GET, with the invitation
 * in the query, like the link of an invitation. A form replaces the query of its address, so hidden fields keep the old
 * query.
 */
function codeVariables(visit: Visit) {
  const [codePath, ...query] = leadsTo(visit).split('?')
  const kept = [...new URLSearchParams(query.join('?'))].filter(([name]) => name !== INVITE)
  const codeFields = kept.map(
    ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
  )
  return { asksCode: true, codeStyle: CODE_STYLE, codePath, codeFields: codeFields.join('\n') }
}

function textOf({ why, snapshot }: OnPage<Rejected>, { texts }: Language) {
  const { uninvited, invalidInvitation, soldOut, noPlace } = texts.rejected
  switch (why) {
    case 'uninvited':
      return uninvited
    case 'invalid-invitation':
      return invalidInvitation
    case 'transferred':
      return texts.transfer.moved
    case 'sold-out':
    case 'rejects-newcomers':
    case 'no-snapshot':
    case 'no-permit':
    case 'no-answer':
    case 'network-quota':
      return snapshot?.soldOut ? soldOut : noPlace
  }
}
