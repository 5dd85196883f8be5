package export

import "jiamenkou/internal/fault"

// Errors of the package.
var (
	ErrResource = fault.New(fault.Invalid, "export.unknown_resource", "没有这种导出，请从列表页面导出")
	ErrFormat   = fault.New(fault.Invalid, "export.unknown_format", "格式应为 csv 或 xlsx")
	ErrTooMany  = fault.New(fault.TooMany, "export.too_many", "您有导出正在进行，请等它完成后再导出")
	ErrMissing  = fault.New(fault.NotFound, "export.not_found", "没有找到这次导出")
	ErrNotReady = fault.New(fault.Conflict, "export.not_ready", "文件还没有准备好，请稍候")
	ErrExpired  = fault.New(fault.Gone, "export.expired", "文件已过期删除，请重新导出")
)

const codeInvalid = "export.invalid"

// What a person reads of an export that failed for a reason that is not theirs.
const (
	failedText = "导出没有成功，请稍后重试"
	stuckText  = "导出中断，请重新导出"
	largeText  = "文件太大，请缩小范围后再导出"
)
