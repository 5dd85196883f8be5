import type { Mp } from '@/api'
import type { Word } from '@/format/words'

// The words of states of service records, corrections and certificates: those of docs/glossary.md.

export const recordWords: Record<Mp<'ServiceRecordDTO'>['state'], Word> = {
  effective: { text: '已生效', tone: 'green' },
  pending_approval: { text: '等审批', tone: 'gold' },
  rejected: { text: '没有通过', tone: 'plain' },
  corrected: { text: '已更正', tone: 'plain' },
}

export const correctionWords: Record<Mp<'MyCorrectionDTO'>['state'], Word> = {
  asked: { text: '等组织者答复', tone: 'gold' },
  proposed: { text: '等另一人审批', tone: 'gold' },
  approved: { text: '已更正', tone: 'green' },
  rejected: { text: '没有通过', tone: 'plain' },
  declined: { text: '不予更正', tone: 'plain' },
  withdrawn: { text: '已撤回', tone: 'plain' },
}

export const certificateWords: Record<Mp<'MyCertificateDTO'>['state'], Word> = {
  requested: { text: '正在办理', tone: 'gold' },
  issued: { text: '已出具', tone: 'green' },
  refused: { text: '没有出具', tone: 'danger' },
  withdrawn: { text: '已撤回', tone: 'plain' },
  revoked: { text: '已撤销', tone: 'danger' },
}

/** Where a record comes from, when that is worth saying. */
export const originText = (kind: Mp<'ServiceRecordDTO'>['kind']) => ({ attendance: '', manual: '补录，不计积分', correction: '更正后的记录' })[kind]
