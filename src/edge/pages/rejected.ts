/** The page of a visitor who is turned away without a place. Nothing on it moves, and it never reloads. */
import html from '../../../static/rejected.html'
import type { Rejected } from '../gate/verdict.ts'
import type { Visit } from '../request/visit.ts'
import { headersFor, type Page, pageStyle, template, variablesOf } from './page.ts'
import { rejectedJson } from './place-json.ts'

const NO_PLACE = {
  headline: 'There is no room at the moment',
  lead: 'Every place is taken, and this site keeps no line. You are welcome to come back a little later.',
}
const SOLD_OUT = {
  headline: 'Nothing is left at the moment',
  lead: 'Everybody who could be let in is in. If more becomes available, whoever has a place in line still has it.',
}
const UNINVITED = {
  headline: 'You need an invitation',
  lead: 'This page is open to invited visitors at the moment. If you have an invitation, please open its link again.',
}
const INVALID_INVITATION = {
  headline: 'This invitation is not valid',
  lead: 'It may have expired, or its link may be incomplete. Please open the link once more, or ask whoever invited you for a new one.',
}
const render = template(html)
const headers = headersFor({ styles: [pageStyle] })

export async function rejectedPage(visit: Visit, verdict: Rejected): Promise<Page> {
  const { cfWaitingRoom, message } = rejectedJson(verdict, visit.nowMs)
  const text = textOf(verdict)
  const variables = { ...variablesOf(visit), ...text, title: text.headline, ...cfWaitingRoom, message }
  return { html: render(variables), headers: await headers(verdict.room.settings.config) }
}

function textOf({ why, view }: Rejected) {
  switch (why) {
    case 'uninvited':
      return UNINVITED
    case 'invalid-invitation':
      return INVALID_INVITATION
    case 'sold-out':
    case 'rejects-newcomers':
    case 'no-view':
    case 'no-permit':
    case 'no-answer':
    case 'network-quota':
      return view?.soldOut ? SOLD_OUT : NO_PLACE
  }
}
