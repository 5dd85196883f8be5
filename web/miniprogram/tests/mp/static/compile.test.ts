import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { change, copyOfBuild, type AppJson } from '../built'
import { compile } from './compile'

/** A copy whose AppID looks like one: a release has its own. */
function copy(): string {
  const folder = copyOfBuild()
  change(folder, 'project.config.json', (t) => t.replace('touristappid', 'wx1234567890abcdef'))
  return folder
}

function withAppJson(edit: (app: AppJson) => void): string {
  const folder = copy()
  change(folder, 'app.json', (text) => {
    const app = JSON.parse(text) as AppJson
    edit(app)
    return JSON.stringify(app)
  })
  return folder
}

describe("WeChat's compiler (miniprogram-ci, offline)", () => {
  it('compiles and packs the build', async () => {
    expect(await compile(copy())).toBeGreaterThan(50_000)
  })

  it('refuses a page that is declared but missing', async () => {
    await expect(compile(withAppJson((app) => app.pages.push('pages/nowhere/index')))).rejects.toThrow(/pages\/nowhere\/index/)
  })

  it('refuses a component that is not there', async () => {
    const folder = copy()
    for (const end of ['js', 'json', 'wxml', 'wxss']) rmSync(join(folder, 'components/AppButton.' + end), { force: true })
    await expect(compile(folder)).rejects.toThrow(/AppButton/)
  })

  it('refuses a private interface that WeChat does not know', async () => {
    await expect(compile(withAppJson((app) => app.requiredPrivateInfos.push('getFoo')))).rejects.toThrow(/requiredPrivateInfos/)
  })

  it('refuses a script that does not parse', async () => {
    const folder = copy()
    change(folder, 'pages/home/index.js', (t) => t + '\nconst = 3')
    await expect(compile(folder)).rejects.toThrow(/pages\/home\/index\.js/)
  })

  it('refuses a template that does not parse', async () => {
    const folder = copy()
    change(folder, 'pages/home/index.wxml', (t) => t + '<view><text></view>')
    await expect(compile(folder)).rejects.toThrow(/unexpected end tag: view/)
  })
})
