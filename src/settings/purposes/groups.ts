/** The form in which the purposes of settings are written: by group, for the documentation and the dashboard. */

/** A group of settings under one title. */
export interface Group {
  readonly title: string
  /** The beginning that all paths of the group share. The keys of `purposes` leave it out. */
  readonly prefix: string
  /** The purpose of each setting in Markdown, by its path without the prefix. */
  readonly purposes: Readonly<Record<string, string>>
}

/** Groups by name, in the order in which they are shown. */
export type Groups = Readonly<Record<string, Group>>
