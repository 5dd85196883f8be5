import { answer, api, type Schemas } from '@/api/client'
import type { Option } from '@/app/resource'
import { pick, type Move } from '@/shared/moves'

/** The moves that the server allows now, with what each asks for. Moves of the reporter are not staff's. */
export function movesOf(c: Schemas['CaseDTO'], workers: Option[]): Move[] {
  const params = { path: { id: c.id } }
  const version = c.version
  const note = (text: string) => ({ version, note: text || undefined })
  const all: Record<string, Move> = {
    pass_content: { title: '内容通过', tone: 'good', effect: '内容合规，可以受理。', run: () => answer(api.POST('/cases/{id}/decide-content', { params, body: { pass: true, version } })) },
    reject_content: { title: '内容不通过', tone: 'bad', effect: '事件就此结束。', ask: { title: '告诉上报人的原因', required: true, max: 500 }, run: ({ text }) => answer(api.POST('/cases/{id}/decide-content', { params, body: { pass: false, version, note: text, reason: text } })) },
    accept: { title: '受理', tone: 'good', effect: '上报人会收到“已受理”的消息。', ask: { title: '给上报人的话', max: 500 }, run: ({ text }) => answer(api.POST('/cases/{id}/accept', { params, body: note(text) })) },
    reject: { title: '不予受理', tone: 'bad', effect: '事件就此结束，上报人会看到原因。', ask: { title: '告诉上报人的原因', required: true, max: 500 }, run: ({ text }) => answer(api.POST('/cases/{id}/reject', { params, body: { ...note(text), reason: text } })) },
    dispatch: { title: c.assignee_id ? '改派' : '分派', choices: workers, ask: { title: '给上报人的话', max: 500 }, run: ({ text, choice }) => answer(api.POST('/cases/{id}/dispatch', { params, body: { ...note(text), staff_id: choice } })) },
    start: { title: '开始办理', tone: 'good', effect: '由您来办理，上报人会看到“办理中”。', ask: { title: '给上报人的话', max: 500 }, run: ({ text }) => answer(api.POST('/cases/{id}/start', { params, body: note(text) })) },
    finish: { title: '办理完成', tone: 'good', effect: '请写明办了什么，上报人据此确认。', ask: { title: '办理结果', required: true, max: 500 }, run: ({ text }) => answer(api.POST('/cases/{id}/finish', { params, body: note(text) })) },
    close: { title: '办结归档', tone: 'good', ask: { title: '说明', max: 500 }, run: ({ text, key }) => answer(api.POST('/cases/{id}/close', { params: { ...params, header: { 'Idempotency-Key': key } }, body: note(text) })) },
    give_up: { title: '说明原因后办结', tone: 'bad', effect: '确实解决不了时使用；上报属实，上报人仍得积分。', ask: { title: '告诉上报人的原因', required: true, max: 500 }, run: ({ text, key }) => answer(api.POST('/cases/{id}/close', { params: { ...params, header: { 'Idempotency-Key': key } }, body: { ...note(text), reason: text } })) },
  }
  return pick(all, c.next_moves?.filter((m) => m !== 'dispatch' || workers.length > 0))
}
