import type { Mp } from '@/api'
import { count, deadlineText, yuan } from '@/format'

type Status = Mp<'OrderDTO'>['status']
type Tone = 'plain' | 'brand' | 'green' | 'gold' | 'danger'

/** What an order's state is called, and what it means for the points. */
export const statusWords: Record<Status, { text: string; tone: Tone; points: string }> = {
  held: { text: '待核销', tone: 'gold', points: '积分已冻结，到店核销时才扣' },
  redeemed: { text: '已核销', tone: 'green', points: '积分已扣' },
  cancelled: { text: '已取消', tone: 'plain', points: '积分已退回' },
  expired: { text: '已过期', tone: 'plain', points: '积分已退回' },
  reversed: { text: '已撤销', tone: 'danger', points: '积分已退回' },
}

/** What is paid at the store, in a sentence. */
export const cashText = (fen: number) => (fen > 0 ? `到店再付 ¥${yuan(fen)} 给商户` : '到店不用再付钱')

/** Until when it has to be fetched. */
export function fetchText(b: Pick<Mp<'BenefitDetailDTO'>, 'redeem_days' | 'redeem_until'>): string {
  if (b.redeem_until) return `请在 ${deadlineText(b.redeem_until)} 之前到店核销`
  return b.redeem_days ? `兑换后 ${b.redeem_days} 天内到店核销` : '兑换当天到店核销'
}

/** Why a benefit cannot be ordered now; empty when it can. `button` is short, `text` says what to do. */
export function obstacle(b: Mp<'BenefitDTO'>, wallet: Mp<'WalletDTO'>): { button: string; text: string } | null {
  if (wallet.frozen) return { button: '积分核对中', text: '您的积分账户正在核对，暂时不能兑换。核对完会通知您。' }
  if (b.my_left <= 0) return { button: '您已兑满', text: `每人最多兑 ${b.per_person_limit} 份，您已经兑满了。` }
  if (!b.on_sale) return { button: '还没有开始', text: b.next_release_at ? '还没有到放量的时间，到时再来兑换。' : '商户还没有安排下次放量，过几天再来看看。' }
  if (b.remaining <= 0) return { button: '已兑完', text: '这次放量已经兑完了。' }
  const short = b.points_price - wallet.available
  if (short > 0) return { button: `积分还差 ${count(short)} 分`, text: `需要 ${count(b.points_price)} 分，您现在可用 ${count(wallet.available)} 分，还差 ${count(short)} 分。参加活动、读播报、上报问题都能得积分。` }
  return null
}
