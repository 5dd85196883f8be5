package policy

import "jiamenkou/internal/fault"

// Errors of policies and budgets.
var (
	ErrRuleMissing   = fault.New(fault.NotFound, "policy.rule_not_found", "没有这条积分规则")
	ErrBudgetMissing = fault.New(fault.NotFound, "policy.budget_not_found", "没有这笔积分预算")
	ErrBudgetName    = fault.New(fault.Conflict, "policy.budget_name_taken", "本地区已有同名预算，请换一个名称")
	ErrRuleConflict  = fault.New(fault.Conflict, "policy.rule_conflict", "这条规则刚被他人更新，请刷新后重试")
	ErrBudgetRegion  = fault.New(fault.Invalid, "policy.budget_region", "预算不属于规则所在地区或其上级，请换一笔预算")
	ErrBudgetLeft    = fault.New(fault.Conflict, "policy.budget_left", "有积分规则用的是原上级的预算，请先停用规则或换一笔预算")
	ErrBudgetIssued  = fault.New(fault.Conflict, "policy.budget_issued", "已发放的积分超过新的上限，请填写更高的上限")
	ErrBudgetPeriod  = fault.New(fault.Conflict, "policy.budget_period", "预算的起止日期不包含这些积分的日期，也不包含今天，请换一笔预算")
	ErrAwardMissing  = fault.New(fault.NotFound, "policy.award_not_found", "没有这条待补发的积分，请刷新后重试")
	ErrKeyConflict   = fault.New(fault.Invalid, "policy.idempotency_conflict", "同一请求号对应的内容不一致，请重新发起")
)

const codeInvalid = "policy.invalid"
