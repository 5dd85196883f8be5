package settlement

import "jiamenkou/internal/fault"

// Errors of settlement.
var (
	ErrStatementMissing = fault.New(fault.NotFound, "settlement.statement_not_found", "没有这张结算单")
	ErrMerchantMissing  = fault.New(fault.NotFound, "settlement.merchant_not_found", "没有找到这家商户")
	ErrMove             = fault.New(fault.Conflict, "settlement.move_not_allowed", "结算单当前状态不能这样操作，请刷新后查看")
	ErrOwnMerchant      = fault.New(fault.Forbidden, "settlement.own_merchant", "不能处理自己商户提出的异议，请由其他运营人员办理")
	ErrWindowOver       = fault.New(fault.Conflict, "settlement.window_over", "已过确认期限，如有异议请联系运营人员")
	ErrReason           = fault.New(fault.Invalid, "settlement.reason_required", "请写明原因（2 到 200 个字）")
	ErrUnsettled        = fault.New(fault.Conflict, "settlement.merchant_unsettled", "有商户的积分账户正在核对，暂时不能结算；其他商户已照常结算")
	ErrDay              = fault.New(fault.Invalid, "settlement.bad_day", "只能结算今天以前、开始核销以后的日子")
)
