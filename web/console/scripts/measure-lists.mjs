// Looks at the console's longest lists in Chromium, as an operator would: opens one, pages through it, sorts and filters it. Prints what it took as JSON;
// internal/bench runs it on a server whose lists are short, then long (make bench-lists). Times are the caller's to compare, never to assert.
import { chromium } from 'playwright-core'

const url = process.env.JMK_TEST_URL
if (!url) throw new Error('JMK_TEST_URL is not set: run through bin/bench lists')
const [opens, pages] = [5, 20]
const lists = [
  { list: 'residents', path: '/residents', request: '/api/v1/residents', filter: '状态', option: '已冻结', sort: '注册日期' },
  { list: 'audit log', path: '/audit', request: '/api/v1/audit-log', filter: '操作', option: '冻结居民账号', sort: '时间' },
]

/** Runs in the page: what the list's requests took, when its rows are painted, and what kept the page from answering. */
function watch() {
  performance.setResourceTimingBufferSize(10_000)
  const at = { request: '', seen: 0, longTasks: [] }
  const timings = () => performance.getEntriesByType('resource').filter((e) => new URL(e.name).pathname === at.request && e.responseEnd > 0)
  const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
  new PerformanceObserver((list) => at.longTasks.push(...list.getEntries().map((e) => e.duration))).observe({ type: 'longtask', buffered: true })
  window.measured = {
    begin: (request) => Object.assign(at, { request, seen: request === at.request ? timings().length : 0, longTasks: [] }),
    /** Until the list's next answer is in the table. */
    async arrive(began) {
      while (timings().length <= at.seen) await painted()
      while (!document.querySelector('main table tbody tr')) await painted()
      await painted()
      const took = performance.now() - began
      const now = timings()
      const server = now.slice(at.seen).map((e) => e.responseEnd - e.requestStart)
      at.seen = now.length
      return { took, server: Math.max(...server), requests: server.length }
    },
    async click(element) {
      const began = performance.now()
      element.click()
      return window.measured.arrive(began)
    },
    seen: () => (at.seen = timings().length),
    longTasks: () => at.longTasks,
    rows: () => document.querySelectorAll('main table tbody tr').length,
    nodes: () => document.querySelectorAll('*').length,
  }
}

const browser = await chromium.launch({ executablePath: process.env.JMK_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-background-networking'] })
const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, locale: 'zh-CN', timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce' })
page.setDefaultTimeout(60_000)
await page.addInitScript(watch)
await page.goto(`${url}/console/`)
await page.locator('input[name=username]').fill('operator')
await page.locator('input[name=password]').fill('correct horse battery')
await page.getByRole('button', { name: '登录', exact: true }).click()
await page.getByRole('heading', { name: /您好/ }).waitFor()

async function measure({ list, path, request, filter, option, sort }) {
  const out = { list, open: [], open_server: [], next: [], next_server: [], sort: [], sort_server: [], filter: [], filter_server: [], requests: 0, pages: 0, most_rows: 0, most_nodes: 0, long_tasks: 0, longest_task_ms: 0 }
  const add = (kind, one) => {
    out[kind].push(one.took)
    out[`${kind}_server`].push(one.server)
  }
  const count = async (requests) => {
    out.requests += requests
    out.pages++
    out.most_rows = Math.max(out.most_rows, await page.evaluate(() => window.measured.rows()))
    out.most_nodes = Math.max(out.most_nodes, await page.evaluate(() => window.measured.nodes()))
  }
  const open = async () => {
    await page.goto(`${url}/console${path}`, { waitUntil: 'commit' })
    return page.evaluate((r) => {
      window.measured.begin(r)
      return window.measured.arrive(0) // since the page began to load
    }, request)
  }
  await open() // what the browser keeps of the program is there from here on
  for (let n = 0; n < opens; n++) add('open', await open())
  await page.waitForLoadState('networkidle')
  await page.evaluate((r) => {
    window.measured.begin(r)
    window.measured.seen()
  }, request)
  const next = page.getByRole('button', { name: '下一页' })
  for (let n = 0; n < pages && (await next.isVisible()) && (await next.isEnabled()); n++) {
    const one = await next.evaluate((b) => window.measured.click(b))
    add('next', one)
    await count(one.requests)
  }
  const tasks = await page.evaluate(() => window.measured.longTasks())
  out.long_tasks = tasks.length
  out.longest_task_ms = Math.max(0, ...tasks)
  for (let n = 0; n < opens; n++) {
    await page.goto(`${url}/console${path}`)
    await page.waitForLoadState('networkidle')
    await page.evaluate((r) => {
      window.measured.begin(r)
      window.measured.seen()
    }, request)
    for (let way = 0; way < 2; way++) { // up, then down
      const one = await page.getByRole('columnheader', { name: sort }).evaluate((h) => window.measured.click(h))
      add('sort', one)
      await count(one.requests)
    }
    await page.locator('main .el-select').filter({ has: page.getByRole('combobox', { name: filter, exact: true }) }).click()
    const one = await page.getByRole('option', { name: option, exact: true }).evaluate((o) => window.measured.click(o))
    add('filter', one)
    await count(one.requests)
  }
  return out
}

const found = []
for (const l of lists) found.push(await measure(l))
await browser.close()
process.stdout.write(JSON.stringify(found))
