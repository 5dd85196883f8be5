import type { Schemas } from '@/api/client'
import type { State } from '@/app/resource'
import { countText } from '@/shared/words'

export type Run = Schemas['AuditRunDTO']
export const states: Record<string, State> = { queued: { title: '排队中', tone: 'wait' }, running: { title: '进行中', tone: 'busy' }, sound: { title: '账实相符', tone: 'good' }, different: { title: '有差异', tone: 'bad' }, failed: { title: '没有完成', tone: 'bad' } }
export const sections: Record<string, string> = { ledger: '积分账', volunteer: '志愿服务', reading: '播报阅读', casework: '事件', market: '兑换与核销', settlement: '结算', leaderboard: '榜单' }
export const isOpen = (r?: Pick<Run, 'status'>) => r?.status === 'queued' || r?.status === 'running'
export const startedBy = (r: Run) => (r.cause === 'nightly' ? '每晚自动' : r.requested_name)
export const percentOf = (r: Run) => (r.total ? Math.min(100, Math.floor((100 * r.done) / r.total)) : 0)
export const leftText = (seconds?: number | null) => (seconds == null ? '' : seconds < 90 ? `约剩 ${seconds} 秒` : seconds < 5400 ? `约剩 ${Math.round(seconds / 60)} 分钟` : `约剩 ${Math.round(seconds / 3600)} 小时`)
export const countsText = (r: Run) => `${countText(r.accounts)} 个账户，${countText(r.journals)} 笔记账，${countText(r.links)} 个链节，${countText(r.seals)} 次封存，${countText(r.checked_rows)} 条业务明细`

// The checks of the audit by their names in the report; one that is not here shows its own name.
const checks: Record<string, string> = {
  'balance equals its transfers': '余额应等于各笔记账之和', 'every account has a balance': '每个账户都有余额', 'held equals the pending holds': '冻结数应等于各笔冻结之和', 'headroom is posted less held less floor': '可用数应等于余额减冻结减下限',
  'wallet equals its lots': '账户余额应等于各批次之和', 'lot equals its entries': '批次剩余应等于其明细之和', "lot's held equals the pins of pending holds": '批次冻结数应等于各笔冻结占用之和', 'hold equals its pins': '冻结应等于其占用批次之和',
  'captured hold has its transfer': '已扣的冻结应有记账', "transfer's hold is captured": '记账对应的冻结应已扣', 'reversal is the opposite': '撤销应与原记账相反', 'sum of all balances is zero': '所有余额之和应为零',
  'every journal row that moves points has its transfer': '每次记账应有分录', 'every old transfer is in a chain': '记账应已入链', 'chain equals its transfers': '账户链应与记账一致', 'chain has no gap': '账户链应首尾相接', "seal holds the chain's head": '封存应与账户链一致', "seal's node equals what is below it": '封存散列树应一致', 'seal follows from the one before': '封存应承接上一次', 'seal counts its accounts': '封存的账户数应一致',
  'every release has its stock': '放量应有库存', "given-up order has its hold released": '取消的兑换应已解冻', 'held order has its pending hold': '待核销的兑换应有冻结', 'live order has a slot': '有效兑换应占名额', "order's capture in the ledger has its redemption": '扣分应有核销', "order's hold in the ledger has its order": '冻结应有兑换单',
  "order's release is of its benefit": '放量应属于该福利', "order's state is in its history": '兑换单状态应与经过一致', 'redeemed order has its capture': '已核销的兑换应已扣分', 'redemption belongs to a redeemed order': '核销应属于已核销的兑换单', 'reversal belongs to a reversed order': '撤销应属于已撤销的兑换单',
  'reversed capture in the ledger has its reversal': '撤销的扣分应有撤销核销', 'reversed order has its reversal': '已撤销的兑换应有撤销记录', 'slot is within the limit per person': '名额应在每人限量内', 'stock sold equals the live orders': '已兑数应等于有效兑换单', "stock's remainder is total less sold": '剩余库存应等于总量减已兑',
  'line equals its capture': '结算明细应等于扣分', 'line equals its reversal': '结算明细应等于撤销', 'redemption is on a statement': '核销应在结算单上', 'reversal is on a statement': '撤销应在结算单上', 'settlement posting has its statement': '结算记账应有结算单', "statement's points equal its lines": '结算单积分应等于明细之和', "statement's settled points are posted": '结算积分应已记账',
  "shift's places equal its sign-ups": '班次人数应等于报名数', 'shift is within its capacity': '班次人数应在名额内', 'credited attendance has its record': '有效签到应有服务记录', "record's attendance is credited": '服务记录应有有效签到', 'effective record has its award': '有效记录应已发积分', 'award has its effective record': '发放的积分应有有效记录', "person's minutes equal the effective records": '累计时长应等于有效记录之和', "day's minutes equal its records": '当日时长应等于记录之和',
  'a case is where its last history row left it': '事件状态应与经过一致', 'a case has one history row for each version': '事件的每次变动应有记录', 'each history row begins where the one before ended': '事件经过应首尾相接', 'a verified report has its award': '已核实的上报应已发积分', 'an award for a report has its verified case': '上报积分应有已核实的事件', 'a picture in use belongs to a case': '已使用的图片应属于事件',
  'article read has its award': '读完的播报应已发积分', 'award of an article has its reading': '阅读积分应有阅读记录', 'sign-in has its award': '签到应已发积分', 'award of a sign-in has its sign-in': '签到积分应有签到',
  'county scores equal the awards': '榜单积分应等于已发积分', 'histogram equals the listed scores': '榜单分布应等于上榜人数', 'histogram has nothing else': '榜单分布不应有多余', 'total equals the scores': '地区合计应等于各人积分', 'total has its scores': '地区合计应有各人积分',
}
// What the report says in English of a chain, a seal or a node.
const notes: [RegExp, string][] = [
  [/^the link is missing$/, '这一节缺失'], [/^the link is not the one that was sealed$/, '这一节与封存时不同'], [/^it does not follow from the link before$/, '与前一节不衔接'],
  [/^its transfer is gone$/, '对应的记账缺失'], [/^its journal row is gone$/, '对应的记账事由缺失'], [/^its encoding is unknown to this version$/, '编码方式不认识，可能由更新的版本写入'],
  [/^its transfer is another account's$/, '对应的记账属于另一个账户'], [/^the transfer, its journal row or its lots are not what was linked$/, '记账、事由或批次与入链时不同'],
  [/^seal (\d+) holds (\d+) links, the chain is gone$/, '第 $1 次封存有 $2 节，账户链已不存在'], [/^seal (\d+) holds (\d+) links, the chain has (\d+)$/, '第 $1 次封存有 $2 节，账户链只有 $3 节'],
  [/^seal (\d+) lacks the account$/, '第 $1 次封存里没有这个账户'], [/^seal (\d+) holds another head$/, '第 $1 次封存的链尾不同'], [/^its root is not that of the tree$/, '根散列与散列树不符'],
  [/^node (\S+) of seal (\d+), through which this account's proof runs$/, '第 $2 次封存的节点 $1 不符，这个账户的证明经过它'], [/^node (\S+), without an account below it$/, '节点 $1 不符，它下面没有账户'],
  [/^seal (\d+) is missing$/, '缺第 $1 次封存'], [/^it does not follow from the seal before$/, '与前一次封存不衔接'], [/^it goes behind the seal before$/, '比前一次封存还早'], [/^its hash does not cover it$/, '封存散列与内容不符'],
]
export function noteText(note: string): string {
  const known = notes.find(([of]) => of.test(note))
  return known ? note.replace(...known) : note
}

// What an account belongs to is the first sign of its number; what else can differ is named in the report.
const owners: Record<string, [title: string, path: string]> = { 1: ['居民账户', '/residents/'], 2: ['商户账户', '/merchants/'], 3: ['预算', ''] }
const account = (object: string) => (/^[123][0-9A-Z]{26}$/.test(object) ? owners[object[0]!] : undefined)
export const objectText = (object: string): string => (account(object) ? `${account(object)![0]} …${object.slice(-6)}` : object.replace(/^seal (\d+)$/, '第 $1 次封存').replace(/^4EXPIRED$/, '到期账户').replace(/^4SETTLED$/, '结算账户'))
export const objectPath = (object: string): string => (account(object)?.[1] ? account(object)![1] + object.slice(1) : '')
export const checkTitle = (check: string) => checks[check.replace(/^[a-z]+: /, '')] ?? check
