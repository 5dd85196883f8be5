package model

import "slices"

// PIIReason is why staff look at personal data in clear.
type PIIReason string

// The reasons to choose from; "other" needs a note.
const (
	PIIForContact     PIIReason = "contact"
	PIIForVerifying   PIIReason = "verify"
	PIIForObjection   PIIReason = "objection"
	PIIForCertificate PIIReason = "certificate"
	PIIForEmergency   PIIReason = "emergency"
	PIIForOther       PIIReason = "other"
)

// PIIReasonName is a reason with what a person reads.
type PIIReasonName struct {
	Code PIIReason
	Name string
}

var piiReasons = []PIIReasonName{
	{PIIForContact, "电话联系本人"},
	{PIIForVerifying, "核对身份"},
	{PIIForObjection, "处理异议或投诉"},
	{PIIForCertificate, "出具证明"},
	{PIIForEmergency, "紧急情况"},
	{PIIForOther, "其他"},
}

// PIIReasons lists every reason.
func PIIReasons() []PIIReasonName { return slices.Clone(piiReasons) }
