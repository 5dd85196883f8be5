import type { ComponentEnv } from './adapter'
import { codeSpace } from './adapter'
import { runBare } from './globals'
import { app, built, resolve } from './package'

// The app's scripts: require(), and which component a script registers.

type AppOptions = Record<string, unknown> & { onLaunch?(options: unknown): void; onShow?(options: unknown): void }

/** What the surroundings give to every script. */
export interface Surroundings {
  wx: object
  getCurrentPages: () => unknown[]
  requirePlugin: (name: string) => unknown
}

let surroundings: Surroundings
let instance: AppOptions | undefined
const modules = new Map<string, { exports: unknown }>()
let registering: ComponentEnv | null = null

const noComponent = () => {
  throw new Error('Component() or Page() outside a component’s script')
}

const given = {
  App: (options: AppOptions) => void (instance = options),
  getApp: () => instance,
  Component: (definition: object) => (registering?.Component ?? noComponent)(definition as never),
  Page: (definition: object) => (registering?.Page ?? noComponent)(definition as never),
  Behavior: (definition: object) => (registering ? registering.Behavior(definition as never) : codeSpace.behavior().definition(definition as never).register()),
}

/** Runs app.js and returns what it gave to App(). */
export function startApp(around: Surroundings): AppOptions {
  surroundings = around
  load('app.js')
  if (!instance) throw new Error('app.js did not call App()')
  return instance
}

/** Registers a page or component and, before it, what it uses. */
export function register(path: string): void {
  load(path + '.js')
}

function load(file: string): unknown {
  const known = modules.get(file)
  if (known) return known.exports
  const source = built.scripts[file]
  if (source === undefined) throw new Error(`module '${file}' is not defined`)
  const module = { exports: {} as unknown }
  modules.set(file, module)
  const path = file.replace(/\.js$/, '')
  const run = () => runBare(file, source, { ...given, ...surroundings, module, exports: module.exports, require: requireFrom(file) })
  const isComponent = path !== 'app' && built.configs[path] !== undefined
  if (!isComponent) run()
  else asComponent(path, run)
  return module.exports
}

const requireFrom = (file: string) => (path: string) => load(resolve(file, path).replace(/(\.js)?$/, '.js'))

function asComponent(path: string, run: () => void): void {
  for (const used of Object.values({ ...app.usingComponents, ...built.configs[path]!.usingComponents })) register(resolve(path, used))
  codeSpace.componentEnv(path, (env) => {
    const before = registering
    registering = env
    try {
      run()
    } finally {
      registering = before
    }
  })
}
