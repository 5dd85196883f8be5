import { spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { filesUnder } from '../built'

// WeChat's own parsers, as the package ships them: npm does not keep their execute bit.
const programs: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'mac', win32: 'windows' }

function program(name: 'wcc' | 'wcsc'): string {
  const system = programs[process.platform]
  if (!system) throw new Error(`miniprogram-compiler has no ${name} for ${process.platform}`)
  const packed = dirname(createRequire(import.meta.url).resolve('miniprogram-compiler/package.json'))
  const path = join(packed, 'bin', system, system === 'windows' ? name + '.exe' : name)
  chmodSync(path, 0o755)
  return path
}

const languages = [
  { parser: 'wcc', flag: '-d', extensions: ['.wxml', '.wxs'] },
  { parser: 'wcsc', flag: '-db', extensions: ['.wxss'] },
] as const

/** What wcc and wcsc find wrong in the WXML and WXSS of a built mini-program; empty when nothing. */
export function syntaxFaults(folder: string): string[] {
  const all = filesUnder(folder)
  return languages.flatMap(({ parser, flag, extensions }) => {
    const files = all.filter((f) => (extensions as readonly string[]).includes(extname(f)))
    if (files.length === 0) return [`${parser}: there is no ${extensions[0]} file in ${folder}`]
    const run = spawnSync(program(parser), [flag, ...files], { cwd: folder, encoding: 'utf8', maxBuffer: 1e8 })
    if (run.error) throw run.error
    return run.status === 0 ? [] : [`${parser}: ${run.stderr.trim().slice(0, 500) || `exit ${run.status}`}`]
  })
}
