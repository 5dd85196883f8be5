import jsQR from 'jsqr'
import { describe, expect, it } from 'vitest'
import { call, fresh, moviegoer, residentToken } from '../../e2e/calls'
import { MiniProgram, playMiniProgram, residentKept, staffKept } from './harness'

playMiniProgram()

/** What a clerk's scanner would read from this screen. */
async function readQr(app: MiniProgram): Promise<string> {
  const image = await app.page.locator('[role=img][aria-label^="核销码"] img').evaluate(async (img: HTMLImageElement) => {
    await img.decode()
    const canvas = Object.assign(document.createElement('canvas'), { width: img.naturalWidth, height: img.naturalHeight })
    const context = canvas.getContext('2d')!
    context.drawImage(img, 0, 0)
    return { width: canvas.width, height: canvas.height, data: [...context.getImageData(0, 0, canvas.width, canvas.height).data] }
  })
  const code = jsQR(Uint8ClampedArray.from(image.data), image.width, image.height)
  if (!code) throw new Error('the screen shows no code that can be read')
  return code.data
}

/** From the home page to the redemption page of the cinema ticket, by what a person taps. */
async function orderTicket(app: MiniProgram): Promise<void> {
  await app.tap('福利')
  await app.at('pages/market/index')
  await app.page.locator('wx-input input:visible').first().fill('电影票')
  await app.tap('搜')
  await app.tap('电影票一张')
  await app.at('spend/benefit/index')
  await app.tap('我要兑换')
  await app.at('spend/confirm/index')
  await app.tap('确认兑换')
  await app.at('spend/code/index')
  await app.sees('请把这个码给店员扫')
}

/** A clerk's phone with a store chosen. */
async function atTheCounter(): Promise<MiniProgram> {
  const app = await MiniProgram.open({ kept: await staffKept('clerk'), at: 'clerk/scan/index' })
  await app.settled()
  if ((await app.page.getByText('先选您在哪家门店').count()) > 0) {
    await app.tap('选择门店')
    await app.settled()
    await app.page.locator('[role=button]:visible', { hasText: /店|影/ }).last().tap()
    await app.at('clerk/scan/index')
  }
  await app.sees('开始扫码')
  return app
}

describe('login', () => {
  it('leads a new person from the welcome page over consent, WeChat and the choice of a home to the home page', async () => {
    const app = await MiniProgram.open({ phone: { loginCodes: [`demo-mp${fresh()}-${fresh()}`] } })
    await app.at('pages/welcome/index')
    await app.settled()
    expect(await app.page.locator('[role=switch][aria-checked=true]:visible').count()).toBe(0) // nothing is ticked before
    const required = app.page.locator('[role=switch]:visible', { hasText: '必须同意才能使用' })
    for (const box of await required.all()) await box.tap()
    await app.tap('按我的选择，继续')
    await app.at('pages/login/index')
    await app.tap('微信登录')
    await app.at('pages/region/index')
    await app.settled()
    await app.shot('region-first')
    await app.tap('用我的位置')
    await app.tap('同意使用位置，开始找')
    await app.sees('手机没有告诉我们位置') // WeChat's own question was answered with no
    await app.tap('硖石街道')
    await app.page.locator('[role=link]:visible,[role=button]:visible', { hasText: /社区|村/ }).first().tap()
    await app.tap('就住这里')
    await app.at('pages/home/index')
    await app.sees('您好')
    await app.leave()
  })

  it('takes a resident of the demo by a tap', async () => {
    const app = await MiniProgram.open({ at: 'pages/login/index', kept: { 'jmk.welcomed': (await residentKept('wang'))['jmk.welcomed'] } })
    await app.tap('王秀英')
    await app.at('pages/home/index')
    await app.sees('您好')
    await app.leave()
  })
})

describe('an order', () => {
  it('goes from the market over the clerk’s scanner to "redeemed" on the resident’s phone', async () => {
    const who = await moviegoer()
    const resident = await MiniProgram.open({ kept: await residentKept(who) })
    await resident.settled()
    await resident.shot('home')
    await orderTicket(resident)
    expect(await resident.get('brightness')).toBe(1)
    expect(await resident.get('awake')).toBe(true)
    await resident.shot('code')

    const clerk = await atTheCounter()
    await clerk.set({ scan: await readQr(resident) })
    await clerk.tap('开始扫码')
    await clerk.at('clerk/redeem/index')
    await clerk.sees('请收现金')
    await clerk.sees('¥30')
    await clerk.shot('redeem')
    await clerk.tap('确认核销')
    await clerk.sees('核销成功')

    await resident.sees('已核销')
    expect(await resident.get('brightness')).toBe(0.4) // as it was
    expect(await resident.get('awake')).toBe(false)
    const redeemed = await call<{ items: { id: string; benefit_title: string }[] }>(await residentToken(who), 'GET', '/mp/v1/orders?status=redeemed&limit=1')
    expect(redeemed.items[0]!.benefit_title).toBe('电影票一张')

    await clerk.tap('继续扫下一位')
    await clerk.at('clerk/scan/index')
    await clerk.tap('开始扫码') // the same code again
    await clerk.sees('不能核销')
    await clerk.leave()
    await resident.leave()
  })

  it('shows its code without a network and says so', async () => {
    const app = await MiniProgram.open({ kept: await residentKept(await moviegoer()) })
    await app.settled()
    await orderTicket(app)
    await app.setOnline(false)
    await app.sees('没有网络')
    // A code is fresh for half a minute; only afterwards is there anything to say.
    await app.page.getByText('连不上网络，这个码还能用').waitFor({ timeout: 45_000 })
    expect(await readQr(app)).not.toBe('')
    await app.setOnline(true)
    await app.sees('码会自己换新')
    await app.leave()
  })

  it('stays where it is when the clerk closes the scanner', async () => {
    const app = await atTheCounter()
    await app.set({ scan: null })
    await app.tap('开始扫码')
    await app.page.waitForTimeout(300)
    expect(await app.route()).toBe('clerk/scan/index')
    await app.leave()
  })
})

describe('a report', () => {
  it('is sent with a picture', async () => {
    const app = await MiniProgram.open({ kept: await residentKept('wang'), at: 'earn/report/index' })
    await app.settled()
    await app.set({ pictures: [await picture(app)] })
    await app.page.locator('[role=radio]:visible').first().tap()
    await app.page.locator('wx-textarea textarea').fill('三号楼门口的路灯坏了两天，晚上看不见路')
    await app.page.locator('[role=button]:visible', { hasText: /照片|拍/ }).first().tap()
    await app.sees('已有 1 张')
    await app.page.locator('[role=button][aria-disabled=false]:visible', { hasText: /^上报$/ }).tap()
    await app.at('earn/report-detail/index')
    await app.sees('路灯坏了两天')
    expect((await app.get('calls')).map((c) => c.name)).toEqual(expect.arrayContaining(['chooseMedia', 'compressImage', 'uploadFile']))
    await app.leave()
  })
})

/** A photo as the phone's camera would leave it. */
const picture = (app: MiniProgram) =>
  app.page.evaluate(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 })
    canvas.getContext('2d')!.fillRect(80, 80, 300, 200)
    return canvas.toDataURL('image/png')
  })
