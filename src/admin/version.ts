/** The version of the program. A test checks that the package has the same one. */
export const VERSION = '0.1.0'
