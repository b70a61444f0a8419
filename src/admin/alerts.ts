/** The alerts of a room in the API: the rules, the receivers, the notices that were sent, and a test notice. */
import { roomStub } from '../settings/env.ts'
import { readJson } from './body.ts'
import { type Admin, withRoom } from './context.ts'
import { record } from './record.ts'
import { fail } from './refusals.ts'

export function alertRoutes(app: Admin): void {
  app.get('/api/v1/rooms/:name/alerts', context =>
    withRoom(context, async (env, name) => context.json(await roomStub(env, name).alertReport())),
  )
  app.post('/api/v1/rooms/:name/alerts/test', context =>
    withRoom(context, async (env, name) => {
      const body = await readJson(context.req.raw)
      if (body instanceof Response) return body
      const { receiver } = Object(body.value) as { receiver?: unknown }
      if (typeof receiver !== 'string' || !(await roomStub(env, name).testAlert(receiver)))
        return fail(422, 'There is no such receiver', 'Send {"receiver": "NAME"}, with a name of ALERT_RECEIVERS.')
      await record(context, 'alert-tested', receiver)
      return context.body(null, 202)
    }),
  )
}
