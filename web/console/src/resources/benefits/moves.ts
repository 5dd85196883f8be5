import { answer, api, type Schemas } from '@/api/client'
import type { Role } from '@/app/resource'
import type { Move } from '@/shared/moves'

type Path = 'submit' | 'withdraw' | 'approve' | 'reject' | 'pause' | 'resume' | 'end'

/** docs/states/market.md, as far as this role may go; the server has the last word. */
export function movesOf(b: Pick<Schemas['BenefitRecordDTO'], 'id' | 'status'>, role: Role | undefined): Move[] {
  const run = (path: Path) => ({ text }: { text: string }) => answer(api.POST(`/benefits/{id}/${path}`, { params: { path: { id: b.id } }, body: { reason: text || undefined } }))
  const end: Move = { title: '下架', tone: 'bad', effect: '下架后不能再上架；居民已兑的照常可用。', ask: { title: '原因', required: true }, run: run('end') }
  const review: Move[] = [
    { title: '审核通过', tone: 'good', effect: '通过后立即上架，居民可以兑换。', ask: { title: '审核意见' }, run: run('approve') },
    { title: '退回', tone: 'bad', effect: '商户修改后可以再提交。', ask: { title: '退回的原因', required: true }, run: run('reject') },
  ]
  const release: Move = {
    title: '放量', tone: 'good', effect: '放出一批，居民在这段时间里可以兑换。',
    fields: [{ key: 'total', title: '份数', kind: 'number', required: true, max: 1_000_000 }, { key: 'starts_at', title: '开始', kind: 'datetime', required: true }, { key: 'ends_at', title: '结束', kind: 'datetime', required: true }],
    initial: { total: 100, starts_at: '', ends_at: '' },
    run: ({ values, key }) => answer(api.POST('/benefits/{id}/releases', { params: { path: { id: b.id }, header: { 'Idempotency-Key': key } }, body: values as never })),
  }
  const submit: Move = { title: '提交审核', tone: 'good', run: run('submit') }
  const manages = role === 'operator' || role === 'merchant_owner'
  if (!manages) return []
  switch (b.status) {
    case 'draft':
    case 'rejected': return [submit]
    case 'pending_review': return role === 'operator' ? review : [{ title: '撤回审核', run: run('withdraw') }]
    case 'published': return [release, { title: '暂停', effect: '暂停后居民暂时不能兑换。', ask: { title: '原因', required: true }, run: run('pause') }, end]
    case 'paused': return [{ title: '恢复', tone: 'good', ask: { title: '说明' }, run: run('resume') }, end]
    default: return []
  }
}
