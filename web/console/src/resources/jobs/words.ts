import type { Schemas } from '@/api/client'

/** What the numbers of a result are called: # is the number. */
const counts: Record<string, string> = {
  deleted: '清理 # 条', expired_lots: '# 批积分到期', linked: '# 笔记账入链', notices: '发出 # 条提醒', alerts: '# 条预算提醒', expired: '# 笔失效', closed: '结束 # 件',
  released: '释放 # 张兑换单', periods: '结算 # 期', statements: '生成 # 张结算单', confirmed: '确认 # 件', dropped: '删除 # 处坐标', handed_over: '重新送审 # 张',
  expired_sessions: '结束 # 次阅读', finished: '结束 # 场活动', applied: '计入 # 笔积分', residents: '更新 # 位居民', exports: '删除 # 个导出文件', days: '统计 # 天', regions: '统计 # 个地区',
  seal: '第 # 次封存', accounts: '# 个账户',
}
const words: Record<string, string> = { sound: '账目没有差异' }

/** What a run did, in words; an error and what is older than these words as they stand. */
export function resultText(r?: Pick<Schemas['ScheduledRunDTO'], 'result' | 'error' | 'counts'>): string {
  if (!r) return '—'
  if (r.error) return r.error
  const found = r.counts ?? []
  if (found.length && found.every((c) => c.count === 0)) return '没有要处理的'
  if (found.length) return found.map((c) => (counts[c.name] ?? `${c.name} #`).replace('#', c.count.toLocaleString('zh-CN'))).join('，')
  return words[r.result] ?? (r.result.startsWith('left to run') ? '由正在进行的对账一并完成' : r.result || '—')
}
