import * as glassEasel from 'glass-easel'
import { MiniProgramEnv } from 'glass-easel-miniprogram-adapter'
import { built } from './package'

// WeChat's own component framework, told of every template, style scope and configuration of the build.

glassEasel.globalOptions.writeIdToDOM = true
// uni-app puts the handlers of a page on its instance while it renders.
glassEasel.globalOptions.useMethodCallerListeners = true
glassEasel.globalOptions.idPrefixGenerator = () => ''

// WeChat's events are plain objects: their fields are their own, which uni-app asks for.
const { wrapShadowedEvent } = glassEasel.Event.prototype
glassEasel.Event.prototype.wrapShadowedEvent = function (...args) {
  const { type, timeStamp, detail } = this
  return Object.assign(wrapShadowedEvent.apply(this, args), { type, timeStamp, detail })
}

const environment = new MiniProgramEnv()
export const codeSpace = environment.createCodeSpace('main', true)
export type ComponentEnv = Parameters<Parameters<typeof codeSpace.componentEnv>[1]>[0]

// WeChat tells a component that it is "ready" after it was drawn for the first time, the inner ones first. The framework
// leaves that to its surroundings.
let drawn: glassEasel.GeneralComponent[] = []
function soonReady(component: glassEasel.GeneralComponent): void {
  if (drawn.length === 0) {
    setTimeout(() => {
      const now = drawn
      drawn = []
      for (const c of now.reverse()) c.triggerLifetime('ready', [])
    })
  }
  drawn.push(component)
}
codeSpace.setOverallBehavior(
  glassEasel.registerBehavior({
    lifetimes: {
      attached() {
        soonReady((this as unknown as { _$: glassEasel.GeneralComponent })._$)
      },
    },
  }) as unknown as glassEasel.GeneralBehavior,
)

for (const [path, content] of Object.entries(built.templates)) {
  codeSpace.addCompiledTemplate(path, { groupList: built.templates, content } as unknown as glassEasel.template.ComponentTemplate)
}
for (const [path, config] of Object.entries(built.configs)) {
  codeSpace.addComponentStaticConfig(path, config as never)
  if (built.styleScopes[path]) codeSpace.addStyleSheet(path, undefined, built.styleScopes[path])
}

const context = new glassEasel.CurrentWindowBackendContext()
context.onEvent((target, type, detail, options) => {
  glassEasel.Event.dispatchEvent(target, new glassEasel.Event(type, detail, options))
})
const backend = environment.associateBackend(context)

export const createRoot = (path: string) => backend.createRoot('page', codeSpace, path)
export type Root = ReturnType<typeof createRoot>

/** Fires an event of a built-in element, as WeChat does. */
export function fire(element: HTMLElement, type: string, detail: object): void {
  const node = (element as { __wxElement?: glassEasel.Element }).__wxElement
  if (node) glassEasel.Event.triggerEvent(node, type, detail, {})
}
