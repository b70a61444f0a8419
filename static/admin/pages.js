// @ts-check
// Opens the pages of the room as visitors see them. The link contains a key, because a browser sends no token for a
// page that it opens.
import { call, isShutOut } from './api.js'
import { $ } from './dom.js'
import { chosen } from './rooms.js'

$('pages').addEventListener('click', async () => {
  // The window must be opened before the answer comes. Otherwise browsers would block it as a pop-up.
  const opened = open('about:blank', '_blank')
  const answer = await call('preview-links', { method: 'POST' })
  const room = chosen()
  if (opened && answer?.status === 200 && room)
    opened.location.href = `${answer.body.url}&room=${encodeURIComponent(room.name)}`
  else {
    opened?.close()
    isShutOut(answer)
  }
})
