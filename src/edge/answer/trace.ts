/** The trace of a request, as a header of the answer and in the log. It exists only with the variable DEBUG. */
import { log } from '../../runtime/log.ts'
import type { Traced } from '../request/trace.ts'
import type { Visit } from '../request/visit.ts'

/** The header contains one JSON object for each decision, separated by commas. */
const TRACE_HEADER = 'Waiting-Room-Trace'
/** For a request without a room, or to the admin API. Its calls are counted nevertheless (I9). */
const NO_DECISION: Traced = { room: null, verdict: 'none', why: null }

export function withTrace(visit: Visit, response: Response): Response {
  const { trace, calls, deployment } = visit
  if (!trace) return response
  const answer = new Response(response.body, response)
  for (const decision of trace.decisions.length > 0 ? trace.decisions : [NO_DECISION]) {
    const facts = { ...decision, calls: { ...calls }, originMs: trace.originMs }
    if (deployment.debug === 'log') log('decision', facts)
    answer.headers.append(TRACE_HEADER, JSON.stringify(facts))
  }
  return answer
}
