import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { builtFolder, builtOrigin, filesUnder, readJson } from '../built'
import type { BuiltPackage } from './page/package'
import { scopeOf, styleSheet } from './styles'
import { compileTemplates } from './templates'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** What the browser loads, by path. */
export type Site = Map<string, { type: string; body: string | Buffer }>

/** Puts the built mini-program and the player of page/ together. */
export async function makeSite(): Promise<Site> {
  const files = filesUnder(builtFolder)
  const { templates, ...rest } = packageOf(files)
  return new Map([
    ['/', { type: 'text/html', body: readFileSync(here('page/index.html')) }],
    ['/player.css', { type: 'text/css', body: readFileSync(here('page/elements.css')) }],
    ['/app.css', { type: 'text/css', body: styleSheet(builtFolder, files, (path) => rest.styleScopes[path] !== undefined) }],
    ['/package.js', { type: 'text/javascript', body: `window.builtPackage = ${JSON.stringify(rest)}\nwindow.builtPackage.templates = ${templates}` }],
    ['/player.js', { type: 'text/javascript', body: await player() }],
  ])
}

function packageOf(files: string[]): BuiltPackage {
  const configs: BuiltPackage['configs'] = {}
  for (const file of files.filter((f) => f.endsWith('.json') && f !== 'project.config.json')) configs[file.slice(0, -'.json'.length)] = readJson(builtFolder, file)
  const scripts: BuiltPackage['scripts'] = {}
  for (const file of files.filter((f) => f.endsWith('.js'))) scripts[file] = readFileSync(join(builtFolder, file), 'utf8')
  const styleScopes: BuiltPackage['styleScopes'] = {}
  for (const [path, config] of Object.entries(configs)) if (config.component && config.styleIsolation !== 'shared') styleScopes[path] = scopeOf(path)
  return { origin: builtOrigin(), configs, scripts, styleScopes, templates: compileTemplates(builtFolder, files) }
}

async function player(): Promise<string> {
  const out = await build({
    configFile: false,
    logLevel: 'warn',
    define: { 'process.env.NODE_ENV': '"production"' },
    build: { write: false, lib: { entry: here('page/main.ts'), formats: ['iife'], name: 'player' } },
  })
  const chunk = [out].flat().flatMap((o) => ('output' in o ? o.output : []))[0]
  if (chunk?.type !== 'chunk') throw new Error('the player was not built')
  return chunk.code
}
