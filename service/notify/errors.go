package notify

import "jiamenkou/internal/fault"

// What the callers of this package can act on. Compare with errors.Is.
var (
	ErrNotFound        = fault.New(fault.NotFound, "notify.message_not_found", "没有找到这条消息，请刷新后查看")
	ErrUnknownTemplate = fault.New(fault.Invalid, "notify.unknown_template", "通知模板已更新，请刷新页面后重新订阅")
	ErrAccountGone     = fault.New(fault.Unauthenticated, "notify.account_gone", "账号已注销，请重新登录")

	// The last three are of a queued job: each is a defect of whoever enqueued
	// it, and kills the job.

	ErrUnknownTopic = fault.New(fault.Invalid, "notify.unknown_topic", "没有这种通知")
	ErrNoRecipient  = fault.New(fault.Invalid, "notify.no_recipient", "通知没有收件人")
	ErrNoObject     = fault.New(fault.Invalid, "notify.no_object", "通知所说的事项不存在")
)

// codeInput is of errors whose fields say what is wrong.
const codeInput = "notify.invalid"
