package market

import "jiamenkou/internal/fault"

// Errors of merchants and benefits.
var (
	ErrMerchantMissing  = fault.New(fault.NotFound, "market.merchant_not_found", "没有找到这家商户")
	ErrStoreMissing     = fault.New(fault.NotFound, "market.store_not_found", "没有找到这家门店")
	ErrBenefitMissing   = fault.New(fault.NotFound, "market.benefit_not_found", "没有找到这项福利")
	ErrRegionMissing    = fault.New(fault.NotFound, "market.region_not_found", "没有找到这个地区")
	ErrMerchantName     = fault.New(fault.Conflict, "market.merchant_name_taken", "本地区已有同名商户，请换一个名称")
	ErrStoreName        = fault.New(fault.Conflict, "market.store_name_taken", "已有同名门店，请换一个名称")
	ErrChanged          = fault.New(fault.Conflict, "market.changed", "内容刚被他人修改，请刷新后再试")
	ErrBadMove          = fault.New(fault.Conflict, "market.bad_status", "当前状态不能这样操作，请刷新后查看")
	ErrNotEditable      = fault.New(fault.Conflict, "market.not_editable", "只有草稿或被退回的福利可以修改")
	ErrMerchantInactive = fault.New(fault.Conflict, "market.merchant_inactive", "商户未启用或已停用，请联系运营人员")
	ErrOfferRegion      = fault.New(fault.Invalid, "market.benefit_region", "福利只能面向商户所在县市区内的地区，请重新选择")
	ErrForeignStore     = fault.New(fault.Invalid, "market.foreign_store", "所选门店不属于这家商户，请重新选择")
	ErrPausedByOperator = fault.New(fault.Forbidden, "market.paused_by_other", "这项福利由他人暂停，请联系运营人员恢复")
)

// Errors of ordering.
var (
	ErrNoHome              = fault.New(fault.Conflict, "market.no_home_region", "请先在“我的”里选择所在村社")
	ErrBenefitClosed       = fault.New(fault.Conflict, "market.benefit_closed", "这项福利已暂停或下架，请看看其他福利")
	ErrNotYetValid         = fault.New(fault.Conflict, "market.not_yet_valid", "这项福利还没有开始，请到时再来")
	ErrNoLongerValid       = fault.New(fault.Gone, "market.no_longer_valid", "这项福利已经结束，请看看其他福利")
	ErrNotOnSale           = fault.New(fault.Conflict, "market.not_on_sale", "现在没有放量，请留意下一次放量时间")
	ErrSoldOut             = fault.New(fault.Conflict, "market.sold_out", "已经兑完了，请留意下一次放量")
	ErrLimitReached        = fault.New(fault.Conflict, "market.limit_reached", "您已达到这项福利的限兑数量")
	ErrIdempotencyConflict = fault.New(fault.Invalid, "market.idempotency_conflict", "同一请求号对应的内容不一致，请重新发起")
)

// Errors of orders, redemption codes and redemptions. A scan is checked in this
// order: signature, order, merchant, store, state of the order, age of the code.
var (
	ErrCodeForged        = fault.New(fault.Invalid, "market.code_forged", "无效的核销码，请让顾客打开“家门口”出示核销码")
	ErrOrderMissing      = fault.New(fault.NotFound, "market.order_not_found", "没有找到这张兑换单")
	ErrCodeOtherMerchant = fault.New(fault.Forbidden, "market.code_other_merchant", "这是其他商户的核销码，不能在本店核销")
	ErrStoreNotAllowed   = fault.New(fault.Conflict, "market.store_not_allowed", "本门店不参加这项福利，请顾客到指定门店核销")
	ErrStoreClosed       = fault.New(fault.Conflict, "market.store_closed", "本门店已停业，请选择其他门店")
	ErrCodeUsed          = fault.New(fault.Conflict, "market.code_used", "这张兑换单已经核销过，不能再次核销")
	ErrOrderCancelled    = fault.New(fault.Conflict, "market.order_cancelled", "这张兑换单已取消，积分已退回")
	ErrOrderReversed     = fault.New(fault.Conflict, "market.order_reversed", "这张兑换单的核销已撤销，积分已退回")
	ErrOrderExpired      = fault.New(fault.Gone, "market.order_expired", "这张兑换单已过核销期限，积分会自动退回")
	ErrCodeExpired       = fault.New(fault.Gone, "market.code_expired", "核销码已过期，请让顾客刷新后再扫")
	ErrOrderRedeemed     = fault.New(fault.Conflict, "market.order_redeemed", "这张兑换单已核销，不能取消；如有问题请当天联系门店")
	ErrNotRedeemed       = fault.New(fault.Conflict, "market.not_redeemed", "这张兑换单还没有核销，不需要撤销")
	ErrReverseTooLate    = fault.New(fault.Conflict, "market.reverse_too_late", "只能撤销当天的核销，请联系运营人员处理")
)

const codeInvalid = "market.invalid"
