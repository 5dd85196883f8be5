import { describe, expect, it } from 'vitest'
import { call, fresh, residentToken } from '../../e2e/calls'
import { builtOrigin } from '../built'
import { MiniProgram, playMiniProgram, residentKept } from './harness'

playMiniProgram()

interface Item {
  id: string
  title: string
  cover_url?: string
}
const list = async (path: string) => (await call<{ items: Item[] }>(await residentToken('wang'), 'GET', '/mp/v1' + path)).items
const first = async (path: string) => (await list(path))[0]!

describe('a printed mini-program code', () => {
  it('opens what it was made for', async () => {
    const activity = await first('/activities?limit=1')
    // WeChat hands the scene over encoded.
    const app = await MiniProgram.open({ kept: await residentKept('wang'), at: `pages/home/index?scene=${encodeURIComponent('a-' + activity.id)}` })
    await app.at('earn/activity/index')
    await app.sees(activity.title)
    await app.leave()
  })

  it('leads somebody who has to log in first there afterwards', async () => {
    const benefit = await first('/benefits?limit=1')
    const welcomed = (await residentKept('wang'))['jmk.welcomed']
    const app = await MiniProgram.open({
      kept: { 'jmk.welcomed': welcomed },
      phone: { loginCodes: [`demo-wang-${fresh()}`] },
      at: `pages/home/index?scene=b-${benefit.id}`,
    })
    await app.at('pages/login/index')
    await app.tap('微信登录')
    await app.at('spend/benefit/index')
    await app.sees(benefit.title)
    await app.leave()
  })

  it('says so when nobody knows it', async () => {
    const app = await MiniProgram.open({ kept: await residentKept('wang'), at: 'pages/home/index?scene=x-1' })
    await app.sees('没有认出这个小程序码')
    expect(await app.route()).toBe('pages/home/index')
    await app.leave()
  })
})

describe('a card in a chat', () => {
  const pages = [
    { what: 'home', at: async () => 'pages/home/index', picture: false },
    { what: 'an article', at: async () => `earn/article/index?id=${(await list('/articles?limit=20')).find((a) => a.cover_url)!.id}`, picture: true },
    { what: 'an activity', at: async () => `earn/activity/index?id=${(await first('/activities?limit=1')).id}`, picture: false },
    { what: 'a benefit', at: async () => `spend/benefit/index?id=${(await first('/benefits?limit=1')).id}`, picture: true },
  ]

  it.each(pages)('of $what has a title and leads back to it', async ({ at, picture }) => {
    const path = await at()
    const app = await MiniProgram.open({ kept: await residentKept('wang'), at: path })
    await app.settled()
    const card = await app.share()
    expect(card.path).toBe('/' + path)
    expect(card.title!.length).toBeGreaterThan(3)
    if (picture) expect(card.imageUrl).toMatch(new RegExp(`^${builtOrigin()}/mp/v1/media/`))
    else expect(card.imageUrl).toBeUndefined()
    await app.tap('发给朋友')
    expect(await app.get('shared')).toEqual([card])
    await app.leave()
  })

  it('is seen by somebody who is not logged in, after the login', async () => {
    const article = await first('/articles?limit=1')
    const welcomed = (await residentKept('wang'))['jmk.welcomed']
    const app = await MiniProgram.open({ kept: { 'jmk.welcomed': welcomed }, at: `earn/article/index?id=${article.id}` })
    await app.at('pages/login/index')
    await app.tap('王秀英')
    await app.at('earn/article/index')
    await app.sees(article.title)
    await app.leave()
  })
})

describe('a message', () => {
  it('that WeChat showed leads to what it is about', async () => {
    type Message = { id: string; link: string }
    const { items } = await call<{ items: Message[] }>(await residentToken('wang'), 'GET', '/mp/v1/messages?limit=20')
    const message = items.find((m) => /^\/(cases|orders|activities)\//.test(m.link))!
    const app = await MiniProgram.open({ kept: await residentKept('wang'), at: `pages/messages/index?id=${message.id}` })
    await app.at({ cases: 'earn/report-detail/index', orders: 'spend/order/index', activities: 'earn/activity/index' }[message.link.split('/')[1]!]!)
    await app.leave()
  })
})
