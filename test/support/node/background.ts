/** Gives a test file the lowest priority, so that it does not disturb those that judge how fast something answers. */
import { constants, setPriority } from 'node:os'

setPriority(constants.priority.PRIORITY_LOW)
