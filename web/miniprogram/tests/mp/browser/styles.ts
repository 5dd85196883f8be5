import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import postcss from 'postcss'
import { selectorAsGlassEasel } from './templates'

/** The name under which glass-easel keeps a component's classes apart: it writes class "x" as "<scope>--x" too. */
export const scopeOf = (component: string) => component.replace(/[^a-zA-Z0-9]+/g, '-')

/**
 * All style sheets as one, app.wxss first. Those of isolated components reach only their own elements, as in WeChat:
 * `isolated` says which those are.
 */
export function styleSheet(folder: string, files: string[], isolated: (path: string) => boolean): string {
  const sheets = files.filter((f) => f.endsWith('.wxss')).sort((a, b) => Number(b === 'app.wxss') - Number(a === 'app.wxss'))
  return sheets.map((file) => forBrowser(readFileSync(join(folder, file), 'utf8'), file, isolated(file.slice(0, -'.wxss'.length)))).join('\n')
}

function forBrowser(wxss: string, file: string, alone: boolean): string {
  const root = postcss.parse(wxss, { from: file })
  root.walkAtRules('import', (rule) => void rule.remove()) // every sheet is here anyway
  root.walkRules((rule) => {
    const selector = selectorAsGlassEasel(rule.selector)
    rule.selector = alone ? selector.replace(/\.(?=[a-zA-Z_-])/g, `.${scopeOf(file.slice(0, -'.wxss'.length))}--`) : selector
  })
  root.walkDecls((declaration) => {
    declaration.value = declaration.value.replace(/(-?[\d.]+)rpx/g, 'calc($1 * 100vw / 750)')
  })
  return `/* ${file} */\n${root.toString()}`
}
