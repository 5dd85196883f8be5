package assurance

import "jiamenkou/internal/fault"

// Errors of the package.
var (
	ErrRunning  = fault.New(fault.Conflict, "audit.running", "有对账正在进行，请等它结束")
	ErrNotOver  = fault.New(fault.Conflict, "audit.not_over", "对账还没有完成，没有报告可以下载")
	ErrMissing  = fault.New(fault.NotFound, "audit.not_found", "没有找到这次对账")
	ErrOldState = fault.New(fault.Conflict, "audit.old_state", "上次的对账太久以前，或不是这个数据库的，请去掉 --resume 重新开始")
)

// What a person reads of a run that failed for a reason that is not theirs.
const (
	failedText = "对账没有完成，请重新运行；再次失败请联系系统管理员"
	stuckText  = "对账中断，请重新运行"
)
