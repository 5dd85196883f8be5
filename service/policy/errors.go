package policy

import "jiamenkou/internal/fault"

// Errors of policies and budgets.
var (
	ErrRuleMissing   = fault.New(fault.NotFound, "policy.rule_not_found", "没有这条积分规则")
	ErrBudgetMissing = fault.New(fault.NotFound, "policy.budget_not_found", "没有这笔积分预算")
	ErrBudgetName    = fault.New(fault.Conflict, "policy.budget_name_taken", "本地区已有同名预算，请换一个名称")
	ErrRuleConflict  = fault.New(fault.Conflict, "policy.rule_conflict", "这条规则刚被他人更新，请刷新后重试")
	ErrBudgetRegion  = fault.New(fault.Invalid, "policy.budget_region", "预算不属于规则所在地区或其上级，请换一笔预算")
)

const codeInvalid = "policy.invalid"
