// @ts-check
// Saves an answer of the API as a file. The API needs the token, which a plain link could not send.
import { call } from './api.js'

/** Returns whether the file was saved. @param {string} path of the API @param {string} name of the file */
export async function download(path, name) {
  const answer = await call(path)
  if (answer?.status !== 200) return false
  const link = document.createElement('a')
  const type = name.endsWith('.csv') ? 'text/csv' : 'text/html'
  link.href = URL.createObjectURL(new Blob([answer.body], { type: `${type};charset=utf-8` }))
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
  return true
}
