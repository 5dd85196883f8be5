import { describe, it } from 'vitest'
import { MiniProgram, playMiniProgram } from './harness'

playMiniProgram()

describe('the mini-program', () => {
  it('opens', async () => {
    const app = await MiniProgram.open()
    await app.at('pages/welcome/index')
    await app.sees('开始之前，请您决定')
    await app.page.screenshot({ path: '/tmp/mini-wx/welcome.png', fullPage: true })
    await app.leave()
  })
})
