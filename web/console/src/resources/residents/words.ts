import type { Option, State } from '@/app/resource'

export const states: Record<string, State> = { active: { title: '正常', tone: 'good' }, frozen: { title: '已冻结', tone: 'bad' }, deleted: { title: '已注销', tone: 'idle' } }
/** Why somebody needs the whole number or name; the resident can read it. */
export const unmaskReasons: Option[] = [
  { value: 'contact', title: '联系本人' }, { value: 'verify', title: '核对身份' }, { value: 'objection', title: '处理异议' },
  { value: 'certificate', title: '开具证明' }, { value: 'emergency', title: '紧急情况' }, { value: 'other', title: '其他（请说明）' },
]
