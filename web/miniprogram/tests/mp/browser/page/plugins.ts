import { app } from './package'

/** requirePlugin(): WeChat throws for a plugin that app.json does not declare. */
export function plugins(name: string): unknown {
  if (!app.plugins?.[name]) throw new Error(`plugin "${name}" is not defined`)
  return {}
}
