import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call, residentToken, soonShift, staffToken, url } from './calls'
import { asResident, expectAccessible, expectReachable, heading, open, openBrowser, press, settled, shot } from './harness'
import { walk } from './looks'
import { silentMp3 } from './sound'

let browser: Browser
beforeAll(async () => {
  browser = await openBrowser()
})
afterAll(() => browser?.close())

interface Article {
  id: string
  title: string
  questions: number
  min_seconds: number
}

type Items<T> = { items: T[] | null }

const list = async <T>(token: string, path: string): Promise<T[]> => (await call<Items<T>>(token, 'GET', '/mp/v1' + path)).items ?? []
const unread = (token: string) => list<Article>(token, '/articles?unread=true&limit=50')
const points = async (token: string) => (await call<{ points: number }>(token, 'GET', '/mp/v1/wallet')).points
const typeInto = (page: Page, label: string, text: string) => page.locator(`[aria-label="${label}"]`).last().fill(text)

describe('what a resident sees of earning', () => {
  const wang = residentToken('wang')
  const first = (path: string, page: string, of = '') => async () => `${page}?id=${(await list<{ id: string; [of]: unknown }>(await wang, path))[0]!.id}`

  walk((settings) => asResident(browser, 'wang', settings), [
    { name: 'home', path: 'pages/home/index', title: '家门口' },
    { name: 'earn', path: 'pages/earn/index', title: '赚积分' },
    { name: 'earn-articles', path: 'earn/articles/index', title: '本地播报' },
    { name: 'earn-article', path: first('/articles?limit=1', 'earn/article/index'), title: '播报' },
    { name: 'earn-sign-in', path: 'earn/sign-in/index', title: '每日签到' },
    { name: 'earn-activities', path: 'earn/activities/index', title: '志愿活动' },
    { name: 'earn-activity', path: first('/activities?limit=1', 'earn/activity/index'), title: '活动详情' },
    { name: 'earn-shifts', path: 'earn/shifts/index', title: '我的班次' },
    { name: 'earn-service-records', path: 'earn/service-records/index', title: '服务时长' },
    { name: 'earn-report', path: 'earn/report/index', title: '上报问题' },
    { name: 'earn-reports', path: 'earn/reports/index', title: '我的上报' },
    { name: 'earn-report-detail', path: first('/cases?limit=1', 'earn/report-detail/index'), title: '上报进度' },
    { name: 'messages', path: 'pages/messages/index', title: '消息' },
  ])

  it('tells at home what there is, what waits, and how far today has come', async () => {
    const token = await wang
    const wallet = await call<{ available: number; held: number }>(token, 'GET', '/mp/v1/wallet')
    const release = (await list<{ title: string }>(token, '/releases/next'))[0]!
    const waiting = (await list<{ text: string }>(token, '/cases?status=handled&limit=1'))[0]!
    const order = (await list<{ benefit_title: string }>(token, '/orders?status=held&limit=1'))[0]!
    const { page, leave } = await asResident(browser, 'wang')
    await open(page, 'pages/home/index')
    await page.locator('.wallet', { hasText: `${wallet.available}分可以用` }).waitFor()
    await page.locator('.wallet', { hasText: `兑换中冻结${wallet.held} 分` }).waitFor()
    await page.locator('.wallet', { hasText: '到期' }).waitFor()
    await page.getByText(`${waiting.text}：办好了，请您答复`).waitFor()
    await page.getByText(`去领：${order.benefit_title}`).waitFor()
    await page.getByText('条没有看的消息').waitFor()
    expect(await page.locator('[role=progressbar]').count(), 'one bar for each way of earning').toBe(4)
    await page.locator('.card', { hasText: release.title }).getByText(/^还有\d+/).waitFor()
    expect(await page.locator('.news').count()).toBe(3)
    await leave()
  })

  it('narrows the activities to one day', async () => {
    const { page, leave } = await asResident(browser, 'wang')
    await open(page, 'earn/activities/index')
    const day = (at: number) => new Date(at + 8 * 3600_000).toISOString().slice(0, 10)
    const tomorrow = day(Date.now() + 24 * 3600_000)
    const there = await list<{ title: string }>(await wang, `/activities?from=${tomorrow}&to=${tomorrow}`)
    await press(page, '明天')
    await settled(page)
    expect(await page.locator('.leaf').count()).toBe(there.length)
    await page.getByText(there[0]!.title).first().waitFor()
    await press(page, '排序和类别')
    await press(page, '助残')
    await page.getByText('没有符合的活动').waitFor()
    await press(page, '看全部活动')
    await page.locator('.leaf').nth(there.length).waitFor()
    await leave()
  })

  it('says what to do when the server fails, and goes on after a retry', async () => {
    const { page, context, leave } = await asResident(browser, 'wang')
    const broken = (url: URL) => url.pathname === '/mp/v1/articles'
    await context.route(broken, (route) => route.fulfill({ status: 500, contentType: 'application/problem+json', body: '{}' }))
    await open(page, 'earn/articles/index')
    await page.getByText('系统出错了').waitFor()
    await context.unroute(broken)
    await press(page, '再试一次')
    await page.locator('.news').first().waitFor()
    await leave()
  })

  it('keeps what is open when the network drops, and says so', async () => {
    const { page, context, leave } = await asResident(browser, 'wang')
    await open(page, 'earn/articles/index')
    await page.locator('.news').first().waitFor()
    await context.setOffline(true)
    await page.getByText('没有网络').first().waitFor()
    expect(await page.locator('.news').count()).toBeGreaterThan(0)
    await leave()
  })
})

describe('reading', () => {
  it('counts the time on the screen only, and posts the points at the end', async () => {
    const token = await residentToken('chen')
    const article = (await unread(token)).filter((a) => a.questions === 0).sort((a, b) => a.min_seconds - b.min_seconds)[0]!
    const before = await points(token)
    const { page, leave } = await asResident(browser, 'chen')
    let beats = 0
    page.on('request', (r) => (beats += r.url().endsWith('/beats') ? 1 : 0))
    await open(page, `earn/article/index?id=${article.id}`)
    await page.getByText('正在读').waitFor()
    await shot(page, 'earn-article')
    await expectAccessible(page)

    await hide(page, true)
    await page.getByText('离开时不计时').waitFor()
    await settled(page) // the beat of leaving is over
    const hiddenFrom = beats
    await page.waitForTimeout(6000) // beats are five seconds apart
    expect(beats, 'no beats while hidden').toBe(hiddenFrom)
    await hide(page, false)
    await page.getByText('正在读').waitFor()

    await page.getByText('读完了，领').waitFor({ timeout: (article.min_seconds + 30) * 1000 })
    await press(page, '读完了，领')
    await page.getByText('已经记到您的账户').waitFor()
    expect(await points(token)).toBeGreaterThan(before)
    await open(page, `earn/article/index?id=${article.id}`)
    await page.reload()
    await page.getByText('已经读过了').waitFor()
    await leave()
  })

  it('asks the questions of an article: a wrong answer is named, the right ones are taken', async () => {
    const token = await residentToken('zhang')
    const article = (await unread(token)).find((a) => a.title.includes('流感疫苗'))
    expect(article, 'the demo county has it with two questions').toBeDefined()
    const { page, leave } = await asResident(browser, 'zhang', { large: true })
    await open(page, `earn/article/index?id=${article!.id}`)
    await press(page, '五十岁')
    await press(page, '三十分钟')
    await press(page, '交答案')
    await page.getByText('第 1 题不对').waitFor()
    await expectAccessible(page)
    await expectReachable(page)
    await shot(page, 'earn-quiz-large')
    await press(page, '六十五岁')
    await press(page, '交答案')
    await page.getByText('都答对了').waitFor()
    await leave()
  })

  it('reads an article aloud', async () => {
    const operator = await staffToken('operator')
    const region = (await call<{ grants: { region_id: string }[] }>(operator, 'GET', '/api/v1/auth/self')).grants[0]!.region_id
    const title = `听一听第 ${Date.now() % 100_000} 期`
    const made = await call<{ id: string; version: number }>(operator, 'POST', '/api/v1/articles', {
      region_id: region, title, body: '这一篇可以听。', source: '社区广播', min_seconds: 10, audio_key: await uploadSound(operator),
    })
    await call(operator, 'POST', `/api/v1/articles/${made.id}/publish`, { version: made.version })
    const { page, leave } = await asResident(browser, 'zhang')
    await open(page, 'earn/articles/index')
    await page.locator('.news', { hasText: title }).getByText('可以听').waitFor()
    await press(page, title)
    await press(page, '听这一篇')
    await page.getByText('正在播放').waitFor()
    await shot(page, 'earn-audio')
    await expectAccessible(page)
    await press(page, '暂停')
    await page.getByText('已暂停').waitFor()
    await press(page, '接着听')
    await page.getByText('正在播放').waitFor()
    await leave()
  })

  it('signs in once a day', async () => {
    const { page, leave } = await asResident(browser, 'zhang')
    await open(page, 'earn/sign-in/index')
    await press(page, '签到，得')
    await page.getByText('签到好了').waitFor()
    await page.reload()
    await page.getByText('今天已经签到了').waitFor()
    await leave()
  })
})

async function uploadSound(operator: string): Promise<string> {
  const form = new FormData()
  form.append('file', new Blob([silentMp3(20)], { type: 'audio/mpeg' }), 'read-aloud.mp3')
  const r = await fetch(url + '/api/v1/recordings', { method: 'POST', headers: { Authorization: 'Bearer ' + operator }, body: form })
  if (!r.ok) throw new Error(`recording: ${r.status} ${await r.text()}`)
  return ((await r.json()) as { key: string }).key
}

/** Chromium's pages are never hidden in a test: the document says that it is. */
const hide = (page: Page, hidden: boolean) =>
  page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => value })
    document.dispatchEvent(new Event('visibilitychange'))
  }, hidden)

/** One place twice: as a browser tells it (WGS-84) and as the county's maps have it (GCJ-02), half a kilometre apart in numbers. */
const standing = { longitude: 120.6806, latitude: 30.5107 }
const place = { lon: 120.684816, lat: 30.508222 }

/** An activity that people can check in to now. */
async function activity(organizer: string, title: string) {
  const self = await call<{ grants: { role: string; region_id: string }[] }>(organizer, 'GET', '/api/v1/auth/self')
  const { starts_at, ends_at, today } = soonShift()
  const made = await call<{ id: string; shifts: { id: string }[] }>(organizer, 'POST', '/api/v1/activities', {
    region_id: self.grants.find((g) => g.role === 'organizer')!.region_id, title, content: '陪老人散步', category: 'elderly', beneficiary: '社区老人',
    place_name: '社区活动室', ...place, radius_meters: 300, contact_name: '顾组织', contact_phone: '0573-87000000',
    shifts: [{ starts_at, ends_at, capacity: 3 }],
  })
  await call(organizer, 'POST', `/api/v1/activities/${made.id}/publish`)
  return { id: made.id, shift: made.shifts[0]!.id, today }
}

describe('volunteering', () => {
  it('signs up, checks in and out by the code on the spot, and shows it on the home page', async () => {
    const organizer = await staffToken('organizer')
    const title = `陪老人散步第 ${Date.now() % 100_000} 期`
    const made = await activity(organizer, title)
    const { page, context, leave } = await asResident(browser, 'li')
    await context.grantPermissions(['geolocation'])
    await context.setGeolocation({ ...standing, longitude: standing.longitude + 0.05 })

    await open(page, 'earn/activities/index')
    await press(page, title)
    await heading(page, '活动详情').waitFor()
    await settled(page)
    await press(page, '报名这一班')
    await page.getByText('报好名了').waitFor()
    await expectAccessible(page)
    await expectReachable(page)
    await shot(page, 'earn-activity')
    await press(page, '取消报名')
    await press(page, '确定取消报名')
    await page.getByText('已经取消报名').waitFor()
    await press(page, '报名这一班')
    await page.getByText('报好名了').waitFor()

    await open(page, 'pages/home/index')
    if (made.today) await page.getByText(`今天：${title}`).waitFor()

    await open(page, `earn/attend/index?id=${made.shift}`)
    const mark = async () => {
      const { code } = await call<{ code: string }>(organizer, 'GET', `/api/v1/shifts/${made.shift}/code`)
      await typeInto(page, '或者输入屏幕上的 6 位数字', code)
      await press(page, '用输入的码')
    }
    await mark()
    await page.getByText('您还没有同意使用位置').waitFor()
    await expectAccessible(page)
    await shot(page, 'earn-attend')
    await press(page, '同意使用位置，签到')
    await page.getByText('您离活动地点还有').waitFor() // the right code in the wrong place

    await context.setGeolocation(standing)
    await typeInto(page, '或者输入屏幕上的 6 位数字', '000000')
    await press(page, '用输入的码')
    await page.getByText('签到码').first().waitFor()
    await mark()
    await page.getByText('签到好了').waitFor()
    await mark()
    await page.getByText('签退好了').waitFor()
    await open(page, 'earn/shifts/index')
    await page.getByText('等组织者确认').waitFor()
    await leave()
  })
})

describe('reporting', () => {
  it('keeps what could not be sent, sends it once, and takes the answer when it is done', async () => {
    const { page, context, leave } = await asResident(browser, 'chen')
    const text = `活动室门口的地砖松了 ${Date.now() % 100_000} 块，容易绊倒老人`
    await open(page, 'earn/report/index')
    await press(page, '设施损坏')
    await typeInto(page, '具体情况', text)
    const chooser = page.waitForEvent('filechooser')
    await press(page, '添加照片')
    await (await chooser).setFiles({ name: 'tile.png', mimeType: 'image/png', buffer: await page.screenshot() })
    await page.getByText('已有 1 张').waitFor()
    await page.getByText('上传中').waitFor({ state: 'detached' })
    await press(page, '自己选村社')
    await expectAccessible(page)
    await expectReachable(page)
    await shot(page, 'earn-report-filled')
    await press(page, '收起')

    await context.setOffline(true)
    await page.locator('.footer [role=button]', { hasText: '上报' }).click()
    await page.getByText('内容已经存在手机里').waitFor()
    await context.setOffline(false)
    await page.reload()
    await page.getByText('上次没有发出去的内容还在').waitFor()
    await page.locator('.footer [role=button]', { hasText: /^上报$/ }).click()
    await page.getByText('上报好了').waitFor()
    await page.locator('.shots .picture').first().waitFor()
    await shot(page, 'earn-report-detail')

    const token = await residentToken('chen')
    const mine = (await list<{ id: string; text: string }>(token, '/cases?limit=20')).filter((c) => c.text === text)
    expect(mine).toHaveLength(1)
    await handle(mine[0]!.id)
    await open(page, 'pages/home/index')
    await page.getByText('办好了，请您答复').first().click()
    await press(page, '解决了')
    await press(page, '很满意')
    await expectAccessible(page)
    await shot(page, 'earn-report-answer')
    await press(page, '交答复')
    await page.getByText('谢谢您的答复').waitFor()
    await page.getByText('您评了 5 星').waitFor()
    await leave()
  })

  it('takes nine pictures at once, each made small before it is sent', async () => {
    const { page, leave } = await asResident(browser, 'chen')
    await page.addInitScript(watchUploads)
    await open(page, 'earn/report/index')
    const large = await page.screenshot() // 1082 by 2402 px
    const chooser = page.waitForEvent('filechooser')
    await press(page, '添加照片')
    await (await chooser).setFiles(Array.from({ length: 9 }, (_, i) => ({ name: `${i}.png`, mimeType: 'image/png', buffer: large })))
    await page.getByText('已有 9 张，最多 9 张').waitFor()
    await page.getByText('上传中').first().waitFor({ state: 'detached' })
    await expect.poll(() => page.getByText('上传中').count()).toBe(0)
    expect(await page.getByText('重新上传').count()).toBe(0)
    expect(await page.getByText('添加照片').count(), 'no tenth').toBe(0)
    const sent = await page.evaluate(() => Promise.all((window as unknown as { sentPictures: Promise<unknown>[] }).sentPictures))
    expect(sent).toEqual(Array.from({ length: 9 }, () => ({ type: 'image/jpeg', width: 721, height: 1600 })))
    await shot(page, 'earn-report-nine')
    await press(page, '删除')
    await page.getByText('已有 8 张').waitFor()
    await leave()
  })

  it('tells of duplicates nearby, and withdraws a report after a second yes', async () => {
    const { page, context, leave } = await asResident(browser, 'zhang')
    await context.grantPermissions(['geolocation'])
    await context.setGeolocation(standing)
    await open(page, 'earn/report/index')
    await press(page, '环境卫生')
    await typeInto(page, '具体情况', '垃圾桶倒了没有人扶')
    await press(page, '用我的位置')
    await press(page, '同意使用位置，开始找')
    await page.getByText('手机定位到的').waitFor()
    await page.locator('.footer [role=button]', { hasText: /^上报$/ }).click()
    await page.getByText('上报好了').waitFor()
    const token = await residentToken('zhang')
    const nearby = () => list<{ mine: boolean }>(token, `/cases/nearby?lon=${standing.longitude}&lat=${standing.latitude}&coordinate_system=wgs84&category=sanitation`)
    await expect.poll(async () => (await nearby()).length, { message: 'once its text has passed', timeout: 15_000 }).toBeGreaterThan(0)

    await open(page, 'earn/report/index')
    await press(page, '环境卫生')
    await press(page, '用我的位置')
    await page.getByText('附近已经有人报过').waitFor()
    await page.getByText('（您报的）').first().waitFor()
    await expectAccessible(page)
    await shot(page, 'earn-report-nearby')

    await open(page, 'earn/reports/index')
    await press(page, '垃圾桶倒了没有人扶')
    await heading(page, '上报进度').waitFor()
    await press(page, '撤回这次上报')
    await press(page, '确定撤回')
    await page.getByText('已经撤回').first().waitFor()
    await leave()
  })
})

/** Runs in the page: notes what each upload sends, which Chromium does not tell of files. */
function watchUploads() {
  const pictures: Promise<unknown>[] = []
  Object.assign(window, { sentPictures: pictures })
  const send = XMLHttpRequest.prototype.send
  XMLHttpRequest.prototype.send = function (body) {
    const file = body instanceof FormData ? body.get('file') : null
    if (file instanceof Blob) pictures.push(createImageBitmap(file).then(({ width, height }) => ({ type: file.type, width, height })))
    send.call(this, body)
  }
}

/** The village takes the case and handles it. */
async function handle(id: string) {
  const operator = await staffToken('operator')
  for (const move of ['accept', 'start', 'finish']) {
    const { version } = await call<{ version: number }>(operator, 'GET', `/api/v1/cases/${id}`)
    await call(operator, 'POST', `/api/v1/cases/${id}/${move}`, { version, note: '已经派人修好' })
  }
}
