// What the audit log's actions are called; a new one shows its own name until it gets words here.
const titles: Record<string, string> = {
  'staff.create': '新建工作人员', 'staff.disable': '停用账号', 'staff.enable': '启用账号', 'staff.grant': '授予角色', 'staff.revoke_grant': '收回角色',
  'staff.reset_password': '重置密码', 'staff.change_password': '修改密码', 'staff.bind_wechat': '绑定微信', 'staff.unbind_wechat': '解绑微信',
  'staff.enrol_second_factor': '启用两步验证', 'staff.renew_recovery_codes': '更换恢复码', 'staff.remove_second_factor': '解除两步验证',
  'resident.find': '按手机号查找居民', 'resident.unmask': '查看居民的手机号或姓名', 'resident.freeze': '冻结居民账号', 'resident.unfreeze': '解冻居民账号',
  'adjustment.propose': '提交调账', 'adjustment.approve': '同意调账', 'adjustment.reject': '不同意调账', 'budget.change_limit': '调整预算上限', 'award.pay_late': '补发积分',
  'region.create': '新建地区', 'region.rename': '地区改名', 'region.move': '移动地区', 'region.close': '撤销地区', 'region.merge': '并入其他地区', 'region.reopen': '恢复地区', 'region.draw': '划定边界', 'region.undraw': '取消边界',
  'settlement.close': '手工结算', 'job.run': '手工运行任务', 'audit.start': '开始全面对账', 'export.create': '导出列表', 'export.download': '下载导出文件',
}
export const actionTitle = (action: string): string => titles[action] ?? action
export const actionOptions = Object.entries(titles).map(([value, title]) => ({ value, title }))
