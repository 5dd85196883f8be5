package ledger

import "jiamenkou/internal/fault"

// Errors of the ledger. Each concerns one item of a batch, unless said
// otherwise.
var (
	ErrInsufficientPoints  = fault.New(fault.Conflict, "ledger.insufficient_points", "积分不足")
	ErrBudgetExhausted     = fault.New(fault.Conflict, "ledger.budget_exhausted", "本期积分预算已用完，运营人员会尽快处理")
	ErrInsufficientBalance = fault.New(fault.Conflict, "ledger.insufficient_balance", "账户余额不足，无法入账")
	ErrAmount              = fault.New(fault.Invalid, "ledger.amount_out_of_range", "积分数额超出允许范围")
	ErrAccountFrozen       = fault.New(fault.Conflict, "ledger.account_frozen", "账户核对中，暂时不能使用，请联系运营人员")
	ErrNotFrozen           = fault.New(fault.Conflict, "ledger.account_not_frozen", "这个账户没有被冻结，或者不存在")
	ErrAccountMissing      = fault.New(fault.NotFound, "ledger.account_not_found", "账户不存在")
	ErrHoldMissing         = fault.New(fault.NotFound, "ledger.hold_not_found", "没有这笔冻结")
	ErrHoldResolved        = fault.New(fault.Conflict, "ledger.hold_resolved", "这笔冻结已处理，不能再次处理")
	ErrHoldExpired         = fault.New(fault.Gone, "ledger.hold_expired", "这笔冻结已过期")
	ErrTransferMissing     = fault.New(fault.NotFound, "ledger.transfer_not_found", "没有这笔记账")
	ErrAlreadyReversed     = fault.New(fault.Conflict, "ledger.already_reversed", "这笔记账已撤销过")
	ErrIrreversible        = fault.New(fault.Conflict, "ledger.irreversible", "这类记账不能撤销")
	ErrIdempotencyConflict = fault.New(fault.Invalid, "ledger.idempotency_conflict", "同一请求号对应的内容不一致，请重新发起")
	ErrSource              = fault.New(fault.Invalid, "ledger.source_missing", "记账缺少来源")
)
