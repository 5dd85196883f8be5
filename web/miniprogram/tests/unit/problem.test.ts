import { describe, expect, it } from 'vitest'
import { urlOf } from '@/api/client'
import { asProblem, problemOf, problemOfFailure } from '@/api/problem'

describe('problemOf', () => {
  it("prefers the server's sentence and finds the fault of a field", () => {
    const p = problemOf(422, { detail: '昵称太长', code: 'identity.invalid', request_id: 'R1', errors: [{ path: 'body.nickname', reason: '最多 20 个字' }] })
    expect([p.message, p.code, p.requestId, p.fieldReason('nickname'), p.fieldReason('name')]).toEqual(['昵称太长', 'identity.invalid', 'R1', '最多 20 个字', ''])
  })

  it.each([
    [503, { 'Retry-After': '7' }, '现在用的人多，请 7 秒后再试', 7],
    [429, { 'retry-after': '3' }, '操作太快了，请 3 秒后再试', 3],
    [503, {}, '现在用的人多，请稍后再试', 0],
  ])('says for %i how long to wait', (status, headers, message, seconds) => {
    const p = problemOf(status, '<html>', headers as Record<string, string>)
    expect([p.message, p.retryAfterSeconds, p.unanswered]).toEqual([message, seconds, true])
  })

  it('tells no network, too slow and unreachable apart', () => {
    expect(problemOfFailure('request:fail timeout', true).kind).toBe('timeout')
    expect(problemOfFailure('request:fail', false).code).toBe('client.offline')
    expect(problemOfFailure('request:fail', true).code).toBe('client.unreachable')
  })

  it('never shows a programming error to a person', () => {
    expect(asProblem(new TypeError('x is undefined')).message).toBe('出了点问题，请再试一次')
  })
})

describe('urlOf', () => {
  it('escapes path and query and leaves absent values out', () => {
    expect(urlOf('/mp/v1', '/orders/{id}/code', { path: { id: 'a/b' }, query: { q: '电影 票', cursor: undefined, n: 0 } })).toBe('/mp/v1/orders/a%2Fb/code?q=%E7%94%B5%E5%BD%B1%20%E7%A5%A8&n=0')
  })
})
