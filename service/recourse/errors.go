package recourse

import "jiamenkou/internal/fault"

// Errors of adjustments and objections.
var (
	ErrResidentMissing   = fault.New(fault.NotFound, "recourse.resident_not_found", "您的辖区内没有这位居民")
	ErrEntryMissing      = fault.New(fault.NotFound, "recourse.entry_not_found", "没有这笔积分明细")
	ErrNotReversible     = fault.New(fault.Conflict, "recourse.not_reversible", "这笔明细不能人工撤销：兑换请由商户撤销，其他请用补发或扣减")
	ErrBudgetMissing     = fault.New(fault.NotFound, "recourse.budget_not_found", "没有这笔积分预算")
	ErrBudgetUnfit       = fault.New(fault.Conflict, "recourse.budget_unfit", "这笔预算不属于居民所在地区或其上级，或者今天不在预算期内，请换一笔预算")
	ErrDailyLimit        = fault.New(fault.Conflict, "recourse.daily_limit", "已超过您今天的调账额度，请明天再提交或由其他运营人员办理")
	ErrAdjustmentMissing = fault.New(fault.NotFound, "recourse.adjustment_not_found", "没有这笔调账")
	ErrAdjustmentDecided = fault.New(fault.Conflict, "recourse.adjustment_decided", "这笔调账已有结果，请刷新后查看")
	ErrAdjustmentExpired = fault.New(fault.Gone, "recourse.adjustment_expired", "这笔调账超过时限没有审批，请重新提交")
	ErrSelfApproval      = fault.New(fault.Forbidden, "recourse.self_decision", "不能审批自己提交的调账，请由另一位运营人员审批")
	ErrOwnWallet         = fault.New(fault.Forbidden, "recourse.own_wallet", "不能为自己的积分账户提交或审批调账，请由其他运营人员办理")
	ErrLowerRegion       = fault.New(fault.Forbidden, "recourse.lower_region", "需由同级或上级地区的运营人员审批")
	ErrObjectionMissing  = fault.New(fault.NotFound, "recourse.objection_not_found", "没有这条异议")
	ErrObjectionOpen     = fault.New(fault.Conflict, "recourse.objection_open", "这笔明细已有一条异议在处理，请等待答复")
	ErrObjectionLimit    = fault.New(fault.Conflict, "recourse.objection_limit", "这笔明细已提过 3 次异议，请直接联系居住地的运营人员")
	ErrObjectionState    = fault.New(fault.Conflict, "recourse.objection_state", "这条异议已答复或已结束，请刷新后查看")
	ErrNoHome            = fault.New(fault.Conflict, "recourse.no_home_region", "请先在“我的”里选择居住的村社，再提出异议")
	ErrKeyConflict       = fault.New(fault.Invalid, "recourse.idempotency_conflict", "同一请求号对应的内容不一致，请重新发起")
)

const codeInvalid = "recourse.invalid"
