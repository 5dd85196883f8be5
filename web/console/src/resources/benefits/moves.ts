import { answer, api, type Schemas } from '@/api/client'
import { pick, type Move } from '@/shared/moves'

type Path = 'submit' | 'withdraw' | 'approve' | 'reject' | 'pause' | 'resume' | 'end'

/** The moves that the server allows now (docs/states/market.md), with what each asks for. */
export function movesOf(b: Pick<Schemas['BenefitRecordDTO'], 'id' | 'next_moves'>): Move[] {
  const run = (path: Path) => ({ text }: { text: string }) => answer(api.POST(`/benefits/{id}/${path}`, { params: { path: { id: b.id } }, body: { reason: text || undefined } }))
  const all: Record<string, Move> = {
    submit: { title: '提交审核', tone: 'good', run: run('submit') },
    withdraw: { title: '撤回审核', run: run('withdraw') },
    approve: { title: '审核通过', tone: 'good', effect: '通过后立即上架，居民可以兑换。', ask: { title: '审核意见' }, run: run('approve') },
    reject: { title: '退回', tone: 'bad', effect: '商户修改后可以再提交。', ask: { title: '退回的原因', required: true }, run: run('reject') },
    release: {
      title: '放量', effect: '放出一批；上架后，居民在这段时间里可以兑换。',
      fields: [{ key: 'total', title: '份数', kind: 'number', required: true, max: 1_000_000 }, { key: 'starts_at', title: '开始', kind: 'datetime', required: true }, { key: 'ends_at', title: '结束', kind: 'datetime', required: true }],
      initial: { total: 100, starts_at: '', ends_at: '' },
      run: ({ values, key }) => answer(api.POST('/benefits/{id}/releases', { params: { path: { id: b.id }, header: { 'Idempotency-Key': key } }, body: values as never })),
    },
    pause: { title: '暂停', effect: '暂停后居民暂时不能兑换。', ask: { title: '原因', required: true }, run: run('pause') },
    resume: { title: '恢复', tone: 'good', ask: { title: '说明' }, run: run('resume') },
    end: { title: '下架', tone: 'bad', effect: '下架后不能再上架；居民已兑的照常可用。', ask: { title: '原因', required: true }, run: run('end') },
  }
  return pick(all, b.next_moves)
}
