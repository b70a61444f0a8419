export { Door } from './door/door.ts'
export { Room } from './room/room.ts'

import { createEdge } from './edge/edge.ts'

export default createEdge()
