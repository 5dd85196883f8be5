import { afterAll, beforeAll, describe, it } from 'vitest'
import { expectAccessible, expectReachable, heading, open, shot, type Person, type Settings } from './harness'

/** How a screen must be readable: each page is looked at in all three. */
export const looks: { name: string; settings: Settings }[] = [
  { name: 'normal', settings: {} },
  { name: 'large', settings: { large: true } },
  { name: 'dark', settings: { dark: true } },
]

export interface Screen {
  /** What the picture is called, such as "earn-articles". */
  name: string
  /** The page, with its query; asked for when it is needed, where it names something that must exist first. */
  path: string | (() => Promise<string>)
  /** The heading that says that it is there. */
  title: string
  /** Words that come with its content, where the heading alone does not show that it has. */
  shows?: string | RegExp
}

/**
 * Walks through screens in each look, with one phone per look: no serious finding of axe, every contrast and target
 * large enough, nothing cut off; and takes their pictures.
 */
export function walk(who: (settings: Settings) => Promise<Person>, screens: Screen[]): void {
  describe.each(looks)('readable by everyone, $name', (look) => {
    let person: Person
    beforeAll(async () => {
      person = await who(look.settings)
    })
    afterAll(() => person?.leave())

    it.each(screens)('$name', async ({ name, path, title, shows }) => {
      await open(person.page, typeof path === 'string' ? path : await path())
      await heading(person.page, title).waitFor()
      if (shows) await person.page.getByText(shows).first().waitFor()
      await expectAccessible(person.page)
      await expectReachable(person.page)
      await shot(person.page, `${name}-${look.name}`)
    })
  })
}
