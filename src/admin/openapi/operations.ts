/** The operations of the admin API: a name for programs, a group for readers, and the body of the answer. */
import type { BodyName } from './schemas.ts'

interface Operation {
  readonly id: string
  readonly tag: 'rooms' | 'settings' | 'past' | 'health' | 'operators' | 'sessions' | 'pages'
  /** Absent if the answer has no JSON. */
  readonly body?: BodyName
}

export const OPERATIONS = {
  'GET /rooms': { id: 'listRooms', tag: 'rooms', body: 'Rooms' },
  'GET /rooms/{name}': { id: 'getRoom', tag: 'rooms', body: 'Room' },
  'PATCH /rooms/{name}': { id: 'changeRoom', tag: 'settings', body: 'Room' },
  'DELETE /rooms/{name}/overrides': { id: 'resetRoom', tag: 'settings', body: 'Room' },
  'DELETE /rooms/{name}/overrides/{setting}': { id: 'resetSetting', tag: 'settings', body: 'Room' },
  'GET /rooms/{name}/changes': { id: 'listChanges', tag: 'settings', body: 'Changes' },
  'GET /rooms/{name}/health': { id: 'getHealth', tag: 'health', body: 'Health' },
  'DELETE /rooms/{name}/health/ceiling': { id: 'liftCeiling', tag: 'health' },
  'GET /rooms/{name}/forecast': { id: 'getForecast', tag: 'past', body: 'Forecast' },
  'GET /rooms/{name}/history': { id: 'getHistory', tag: 'past', body: 'History' },
  'GET /rooms/{name}/reports': { id: 'listReports', tag: 'past', body: 'Reports' },
  'GET /rooms/{name}/reports/{id}': { id: 'getReport', tag: 'past', body: 'Report' },
  'GET /rooms/{name}/audit': { id: 'getAudit', tag: 'operators', body: 'Audit' },
  'GET /rooms/{name}/alerts': { id: 'getAlerts', tag: 'operators', body: 'Alerts' },
  'POST /rooms/{name}/alerts/test': { id: 'testAlert', tag: 'operators' },
  'GET /rooms/{name}/sessions/{sid}': { id: 'getSession', tag: 'sessions', body: 'Session' },
  'DELETE /rooms/{name}/sessions/{sid}': { id: 'endSession', tag: 'sessions' },
  'GET /rooms/{name}/live': { id: 'followRoom', tag: 'rooms' },
  'GET /tokens': { id: 'listTokens', tag: 'operators', body: 'Tokens' },
  'POST /tokens': { id: 'makeToken', tag: 'operators', body: 'NewToken' },
  'DELETE /tokens/{id}': { id: 'revokeToken', tag: 'operators' },
  'POST /preview-links': { id: 'makePreviewLink', tag: 'pages', body: 'PreviewLink' },
} as const satisfies Record<string, Operation>

export type OperationKey = keyof typeof OPERATIONS

/** Returns the operation of a method and a path, or undefined if it has no name yet. */
export function operationOf(method: string, path: string): Operation | undefined {
  const key = `${method.toUpperCase()} ${path}`
  return Object.hasOwn(OPERATIONS, key) ? OPERATIONS[key as OperationKey] : undefined
}
