/** One faulty field of a form, named by its path in the request, such as "body.nickname". */
export interface FieldFault {
  path: string
  reason: string
}

export type ProblemKind = 'offline' | 'timeout' | 'busy' | 'refused' | 'signed-out' | 'broken'

/** The one error that the API layer throws. `message` is plain Chinese and says what to do. */
export class Problem extends Error {
  constructor(
    readonly kind: ProblemKind,
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: FieldFault[] = [],
    readonly retryAfterSeconds = 0,
    readonly requestId = '',
  ) {
    super(message)
    this.name = 'Problem'
  }

  /** True when the server may or may not have done it: retry with the same Idempotency-Key. */
  get unanswered(): boolean {
    return this.kind === 'offline' || this.kind === 'timeout' || this.kind === 'busy' || this.status >= 500
  }

  /** The fault of one field, whatever stands before the name: "nickname" finds "body.nickname". */
  fieldReason(name: string): string {
    return this.fields.find((f) => f.path === name || f.path.endsWith('.' + name))?.reason ?? ''
  }
}

const fallback: Record<number, string> = {
  401: '登录已过期，请重新登录',
  403: '您没有权限做这件事',
  404: '没有找到，可能已经下线',
  409: '状态已经变化，请刷新后再看',
  410: '已经过期，请刷新后再试',
  413: '内容太大，请减少后再试',
  422: '有的地方没有填对，请检查后再试',
}

const waitText = (seconds: number) => (seconds > 0 ? `请 ${seconds} 秒后再试` : '请稍后再试')

/** Turns an answer that is not 2xx into a Problem; the server's own sentence comes first. */
export function problemOf(status: number, body: unknown, headers: Record<string, string> = {}): Problem {
  const b = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const text = (k: string) => (typeof b[k] === 'string' ? (b[k] as string) : '')
  const fields = Array.isArray(b.errors) ? (b.errors as FieldFault[]).filter((f) => typeof f?.path === 'string' && typeof f?.reason === 'string') : []
  const wait = retryAfter(headers)
  const make = (kind: ProblemKind, message: string) => new Problem(kind, status, text('code'), message, fields, wait, text('request_id'))
  if (status === 429) return make('busy', text('detail') || `操作太快了，${waitText(wait)}`)
  if (status === 503) return make('busy', text('detail') || `现在用的人多，${waitText(wait)}`)
  if (status === 502 || status === 504) return make('timeout', `服务暂时连不上，${waitText(wait)}`)
  if (status >= 500) return make('broken', text('detail') || '系统出错了，我们已记录，请稍后再试')
  if (status === 401) return make('signed-out', text('detail') || fallback[401]!)
  return make('refused', text('detail') || fallback[status] || '没有办成，请稍后再试')
}

/** Turns uni.request's failure (no answer at all) into a Problem. */
export function problemOfFailure(errMsg: string, online: boolean): Problem {
  if (!online) return new Problem('offline', 0, 'client.offline', '没有网络，请检查手机网络后再试')
  if (/time-?out|超时/i.test(errMsg)) return new Problem('timeout', 0, 'client.timeout', '网络太慢，没有等到答复，请再试一次')
  return new Problem('offline', 0, 'client.unreachable', '连不上服务，请检查网络后再试')
}

/** Any thrown value as a Problem, for screens. */
export function asProblem(e: unknown): Problem {
  return e instanceof Problem ? e : new Problem('broken', 0, 'client.error', '出了点问题，请再试一次')
}

function retryAfter(headers: Record<string, string>): number {
  for (const [k, v] of Object.entries(headers)) {
    if (k.toLowerCase() === 'retry-after') return Math.min(600, Math.max(0, Number.parseInt(v, 10) || 0))
  }
  return 0
}
