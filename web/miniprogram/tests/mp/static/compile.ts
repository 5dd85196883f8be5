import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// The compiler asks WeChat for the account's limits before it starts. Here it gets the limits that its own package
// calls the default, so that it runs without a network; the AppID only has to look like one.
const appid = 'wx1234567890abcdef'

interface Attributes {
  appid?: string
  appName?: string
}

interface Project {
  attr(): Promise<Attributes>
  attrSync(): Attributes
  _attr: Attributes
}

interface Compiler {
  DefaultProjectAttr: Attributes
  proxy(url: string): void
  Project: new (options: { appid: string; type: string; projectPath: string; privateKeyPath: string }) => Project
  getCompiledResult(options: { project: Project; version: string; setting: Record<string, boolean>; onProgressUpdate(): void }, zip: string): Promise<unknown>
}

const ci = createRequire(import.meta.url)('miniprogram-ci') as Compiler
// It also asks WeChat for its newest list of file types, and goes on without: here it never gets out to ask.
ci.proxy('http://127.0.0.1:9')

/** Runs WeChat's official compiler over a built mini-program, offline; the size of the packed result. Throws what it refuses. */
export async function compile(folder: string): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), 'jmk-ci-'))
  try {
    const key = join(scratch, 'upload.key') // never leaves this machine: any key will do
    writeFileSync(key, generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }))
    const project = new ci.Project({ appid, type: 'miniProgram', projectPath: folder, privateKeyPath: key })
    const attributes = { ...ci.DefaultProjectAttr, appid, appName: 'jiamenkou' }
    Object.assign(project, { attr: () => Promise.resolve(attributes), attrSync: () => attributes, _attr: attributes })
    const zip = join(scratch, 'packed.zip')
    // es6 and minify as project.config.json asks for: what WeChat's tool turns into what phones run.
    await ci.getCompiledResult({ project, version: '1', setting: { es6: true, minify: true }, onProgressUpdate() {} }, zip)
    return statSync(zip).size
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
