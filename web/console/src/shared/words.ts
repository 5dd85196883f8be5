// How numbers and times are said, in one place.
const day = new Intl.DateTimeFormat('zh-CN', { timeZone: 'Asia/Shanghai', year: 'numeric', month: '2-digit', day: '2-digit' })
const minute = new Intl.DateTimeFormat('zh-CN', { timeZone: 'Asia/Shanghai', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hour12: false })

export const timeText = (at?: string | null) => (at ? minute.format(new Date(at)).replaceAll('/', '-') : '—')
/** Until when: what ends at midnight ends with the day before, and nobody has to work that out. */
export function deadlineText(at?: string | null): string {
  const told = timeText(at)
  return at && told.endsWith('00:00') ? `${dayText(new Date(Date.parse(at) - 60_000).toISOString())} 24:00` : told
}
export const dayText = (at?: string | null) => (at ? day.format(new Date(at)).replaceAll('/', '-') : '—')
export const moneyText = (fen: number) => `${fen < 0 ? '−' : ''}¥${(Math.abs(fen) / 100).toFixed(2)}`
/** Who did it: staff by name, others by what they are. */
export const actorText = (a: { actor_kind: string; actor_name: string }): string => a.actor_name || ({ resident: '居民', system: '系统', staff: '工作人员' }[a.actor_kind] ?? '')
export const countText = (n: number) => n.toLocaleString('zh-CN')
export const pointsText = (n: number) => `${countText(n)} 分`

/** How long until a deadline, or since it: the largest unit is enough. */
export function clockText(due: string, now = Date.now()): string {
  const minutes = Math.round((new Date(due).getTime() - now) / 60_000)
  const [left, n] = [minutes >= 0, Math.abs(minutes)]
  const span = n >= 2880 ? `${Math.floor(n / 1440)} 天` : n >= 120 ? `${Math.floor(n / 60)} 小时` : `${n} 分钟`
  return left ? `还剩 ${span}` : `超时 ${span}`
}

/** Yuan as typed, in fen; null for what is no amount. */
export function fenOf(yuan: string): number | null {
  const m = /^(\d{1,7})(?:\.(\d{1,2}))?$/.exec(yuan.trim())
  return m ? Number(m[1]) * 100 + Number((m[2] ?? '').padEnd(2, '0')) : null
}
