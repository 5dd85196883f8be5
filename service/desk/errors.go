package desk

import "jiamenkou/internal/fault"

// Errors of the package.
var (
	ErrMissing   = fault.New(fault.NotFound, "desk.view_not_found", "没有找到这个视图")
	ErrNameTaken = fault.New(fault.Conflict, "desk.view_name_taken", "已有同名的视图，请换一个名称")
	ErrTooMany   = fault.New(fault.Conflict, "desk.too_many_views", "一个列表最多保存 20 个视图，请先删除不用的")
)

const codeInvalid = "desk.invalid"
