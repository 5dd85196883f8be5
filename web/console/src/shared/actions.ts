import { moneyText, pointsText, timeText } from './words'
import { categories as services } from '@/resources/activities/words'
import { categories as trades } from '@/resources/merchants/words'

// What the audit log's actions are called; a new one shows its own name until it gets words here.
const titles: Record<string, string> = {
  'staff.create': '新建工作人员', 'staff.disable': '停用账号', 'staff.enable': '启用账号', 'staff.grant': '授予角色', 'staff.revoke_grant': '收回角色',
  'staff.reset_password': '重置密码', 'staff.change_password': '修改密码', 'staff.bind_wechat': '绑定微信', 'staff.unbind_wechat': '解绑微信',
  'staff.enrol_second_factor': '启用两步验证', 'staff.renew_recovery_codes': '更换恢复码', 'staff.remove_second_factor': '解除两步验证',
  'resident.find': '按手机号查找居民', 'resident.unmask': '查看居民的手机号或姓名', 'resident.freeze': '冻结居民账号', 'resident.unfreeze': '解冻居民账号',
  'adjustment.propose': '提交调账', 'adjustment.approve': '同意调账', 'adjustment.reject': '不同意调账', 'budget.change_limit': '调整预算上限', 'award.pay_late': '补发积分',
  'merchant.create': '新建商户', 'merchant.update': '修改商户', 'merchant.activate': '启用商户', 'merchant.suspend': '停用商户',
  'store.create': '新建门店', 'store.update': '修改门店', 'store.open': '门店恢复营业', 'store.close': '门店停业',
  'benefit.create': '新建福利', 'benefit.update': '修改福利', 'benefit.submit': '提交福利审核', 'benefit.withdraw': '撤回福利审核', 'benefit.approve': '福利审核通过',
  'benefit.reject': '退回福利', 'benefit.pause': '暂停福利', 'benefit.resume': '恢复福利', 'benefit.end': '下架福利', 'benefit.release': '福利放量',
  'article.create': '新建播报', 'article.update': '修改播报', 'article.publish': '发布播报', 'article.withdraw': '撤回播报',
  'activity.create': '新建活动', 'activity.update': '修改活动', 'activity.publish': '发布活动', 'activity.cancel': '取消活动', 'activity.add_shifts': '添加班次',
  'shift.update': '修改班次', 'shift.cancel': '取消班次',
  'region.create': '新建地区', 'region.rename': '地区改名', 'region.draw': '设置地区边界', 'region.undraw': '删除地区边界', 'region.import': '导入地区',
  'region.move': '调整上级地区', 'region.close': '撤销地区', 'region.merge': '合并地区', 'region.reopen': '恢复地区',
  'budget.create': '新建预算', 'rule.publish': '发布积分规则', 'rule.retire': '停用积分规则',
  'settlement.close': '手工结算', 'job.run': '手工运行任务', 'audit.start': '开始全面对账', 'account.unfreeze': '解冻积分账户', 'export.create': '导出列表', 'export.download': '下载导出文件',
}
// What the fields of an edit are called, in whatever object they are.
const fields: Record<string, string> = {
  name: '名称', title: '标题', category: '类别', contact_name: '联系人', contact_phone: '联系电话', address: '地址', lon: '经度', lat: '纬度',
  region_id: '面向地区', description: '说明', image_key: '图片', points_price: '积分', cash_price_fen: '到店付', original_price_fen: '原价', subsidy_fen: '每笔补贴',
  per_person_limit: '每人限兑', redeem_days: '核销天数', redeem_until: '核销截止', valid_from: '兑换开始', valid_until: '兑换结束', store_ids: '适用门店',
  summary: '摘要', body: '正文', source: '来源', min_seconds: '阅读秒数', cover_key: '封面', audio_key: '录音', quiz: '小问题',
  content: '内容', beneficiary: '服务对象', place_name: '地点', radius_meters: '签到半径', starts_at: '开始', ends_at: '结束', break_minutes: '休息分钟', capacity: '名额',
}
const valueText = (field: string, value: string): string => {
  if (!value) return '（空）'
  if (field.endsWith('_fen')) return moneyText(Number(value))
  if (field === 'category') return trades[value] ?? services[value] ?? value
  return /^\d{4}-\d\d-\d\dT/.test(value) ? timeText(value) : value
}
interface Change { field: string; from?: string; to?: string }

/** What an edit changed: the values where the log keeps them, else the field alone. */
export function changesText(detail: unknown): string {
  const d = (detail ?? {}) as { changes?: Change[]; before?: string; after?: string; created?: number; updated?: number; from_points?: number; to_points?: number }
  if (d.after !== undefined) return `名称：${d.before} → ${d.after}`
  if (d.updated !== undefined) return `新建 ${d.created} 个，修改 ${d.updated} 个`
  if (d.to_points !== undefined) return `上限：${d.from_points ? `${pointsText(d.from_points)} → ` : ''}${pointsText(d.to_points)}`
  return (d.changes ?? []).map((c) => {
    const name = fields[c.field] ?? c.field
    return c.from || c.to ? `${name}：${valueText(c.field, c.from ?? '')} → ${valueText(c.field, c.to ?? '')}` : name
  }).join('；')
}

// Where an object of the log has its page. A type that is not here has none.
const pages: Record<string, (id: string, within: string) => string> = {
  staff: (id) => `/staff/${id}`, resident: (id) => `/residents/${id}`, merchant: (id) => `/merchants/${id}`, store: (_, within) => within && `/merchants/${within}`,
  benefit: (id) => `/benefits/${id}`, article: (id) => `/articles/${id}`, activity: (id) => `/activities/${id}`, shift: (_, within) => within && `/activities/${within}`,
  region: (id) => `/regions?region=${id}`, adjustment: (id) => `/adjustments/${id}`, audit_run: (id) => `/audit-runs/${id}`, budget: () => '/budgets', rule: () => '/rules',
  job: (id) => `/jobs/${id}`, settlement_period: () => '/periods',
}
export const objectPath = (r: { object_type: string; object_id: string; object_within: string }): string => pages[r.object_type]?.(r.object_id, r.object_within) ?? ''

export const actionTitle = (action: string): string => titles[action] ?? action
export const actionOptions = Object.entries(titles).map(([value, title]) => ({ value, title }))
