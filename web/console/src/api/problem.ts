/** The one error that leaves the API layer: RFC 9457, or its like when no answer came. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fields: Record<string, string> = {},
    readonly requestId = '',
  ) {
    super(message)
  }
}

interface Body {
  status?: number
  code?: string
  detail?: string
  title?: string
  request_id?: string
  errors?: { path: string; reason: string }[] | null
}

export function problemOf(status: number, body: unknown): Problem {
  const b = (typeof body === 'object' && body !== null ? body : {}) as Body
  const fields: Record<string, string> = {}
  for (const e of b.errors ?? []) fields[e.path.replace(/^body\./, '')] ??= e.reason
  return new Problem(status, b.code ?? '', b.detail || b.title || `服务器没有给出说明（${status}），请稍后再试`, fields, b.request_id)
}

/** Anything thrown, as a Problem that tells the person what to do. */
export function asProblem(err: unknown): Problem {
  if (err instanceof Problem) return err
  if (err instanceof TypeError) return new Problem(0, 'network', '连不上服务器，请检查网络后重试')
  return new Problem(0, 'unknown', '页面出错了，请刷新后重试')
}
