import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TmplGroup } from 'glass-easel-template-compiler'

// WeChat's built-in elements that the app may use. In the browser they get the prefix wx-, so that a <button> or an
// <input> is what page/elements.ts makes of it and not the browser's own.
const builtIn =
  'view|text|image|button|input|textarea|form|label|scroll-view|swiper|swiper-item|picker|picker-view|picker-view-column|switch|checkbox|checkbox-group|radio|radio-group|slider|progress|icon|rich-text|navigator|canvas|map|video|cover-view|cover-image|web-view|movable-area|movable-view|root-portal|page-container|camera'

const tag = new RegExp(`<(/?)(${builtIn})(?=[\\s>/])`, 'g')
const listener = /(\s)(capture-bind|capture-catch|mut-bind|bind|catch)(?!:)([a-zA-Z_]+)=/g

/** WXML as glass-easel's compiler takes it: it knows bind:tap, WeChat also bindtap. */
export const asGlassEasel = (wxml: string) => wxml.replace(tag, '<$1wx-$2').replace(listener, '$1$2:$3=')

/** The selectors that name built-in elements, likewise. */
const selectorTag = new RegExp(`(^|[\\s>+~,(])(${builtIn})(?=$|[\\s.#:,>+~\\[)])`, 'g')
export const selectorAsGlassEasel = (selector: string) => selector.replace(selectorTag, '$1wx-$2')

/** Compiles all templates to one JavaScript expression; what the compiler warns of is a fault of the build. */
export function compileTemplates(folder: string, files: string[]): string {
  const group = new TmplGroup()
  const faults: string[] = []
  for (const file of files.filter((f) => f.endsWith('.wxs'))) group.addScript(file.slice(0, -'.wxs'.length), read(folder, file))
  for (const file of files.filter((f) => f.endsWith('.wxml'))) {
    const warnings = group.addTmpl(file.slice(0, -'.wxml'.length), asGlassEasel(read(folder, file))) as { message: string; startColumn: number }[]
    for (const w of warnings ?? []) faults.push(`${file}:${w.startColumn}: ${w.message}`)
  }
  if (faults.length > 0) throw new Error('templates: ' + faults.join('\n'))
  return group.getTmplGenObjectGroups()
}

const read = (folder: string, file: string) => readFileSync(join(folder, file), 'utf8')
