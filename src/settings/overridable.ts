/** The settings of a room that an event may override. */
import { customPage } from './custom-page.ts'
import { flag, numberIn, oneOf } from './messages.ts'
import { ownText } from './texts/settings.ts'

export const minutes = (low: number, high: number) => numberIn(low, high, 'fractions')

export const overridable = {
  total_active_users: numberIn(1, 10_000_000),
  new_users_per_minute: numberIn(0, 1_000_000),
  session_duration: minutes(0.05, 1_440),
  disable_session_renewal: flag(),
  queueing_method: oneOf('fifo', 'random', 'passthrough', 'reject'),
  message: ownText(),
  custom_page_html: customPage(),
}
