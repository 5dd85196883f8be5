package model

import "slices"

// ReverseReason is why a redemption is taken back at the counter.
type ReverseReason string

// The reasons to choose from; "other" needs a note.
const (
	ReverseWrongScan    ReverseReason = "wrong_scan"
	ReverseWrongBenefit ReverseReason = "wrong_benefit"
	ReverseNotServed    ReverseReason = "not_served"
	ReverseReturned     ReverseReason = "returned"
	ReverseOther        ReverseReason = "other"
)

// ReverseReasonName is a reason with what a person reads.
type ReverseReasonName struct {
	Code ReverseReason
	Name string
}

var reverseReasons = []ReverseReasonName{
	{ReverseWrongScan, "扫错了"},
	{ReverseWrongBenefit, "兑换的不是这一项"},
	{ReverseNotServed, "没有货或不能提供"},
	{ReverseReturned, "顾客退货或不要了"},
	{ReverseOther, "其他"},
}

// ReverseReasons lists every reason.
func ReverseReasons() []ReverseReasonName { return slices.Clone(reverseReasons) }
