import { describe, expect, it } from 'vitest'
import { MiniProgram, playMiniProgram, residentKept } from './harness'

playMiniProgram()

const report = async (settings: { plugins?: boolean } = {}) => {
  const app = await MiniProgram.open({ kept: await residentKept('wang'), at: 'earn/report/index', ...settings })
  await app.settled()
  return app
}
const written = (app: MiniProgram) => app.page.locator('wx-textarea textarea').inputValue()

describe('voice input', () => {
  it('puts what was said behind what is written', async () => {
    const app = await report()
    await app.page.locator('wx-textarea textarea').fill('三号楼：')
    await app.set({ speech: '门口的路灯坏了。' })
    await app.tap('说话，变成文字')
    await app.tap('正在听，说完点这里')
    await expect.poll(() => written(app)).toBe('三号楼：门口的路灯坏了。')
    await app.shot('voice')
    await app.leave()
  })

  it('says so when nothing was heard, and can be tried again', async () => {
    const app = await report()
    await app.tap('说话，变成文字')
    await app.tap('正在听，说完点这里')
    await app.sees('没有听到您说话')
    await app.set({ speech: '路灯坏了' })
    await app.tap('说话，变成文字')
    await app.tap('正在听，说完点这里')
    await expect.poll(() => written(app)).toBe('路灯坏了')
    await app.leave()
  })

  it('is not there where WeChat does not give the plugin', async () => {
    const app = await report({ plugins: false })
    await app.sees('说说怎么回事')
    expect(await app.page.getByText('说话，变成文字').count()).toBe(0)
    await app.leave()
  })
})
