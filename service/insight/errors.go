package insight

import "jiamenkou/internal/fault"

// Errors of the package.
var (
	ErrRegion = fault.New(fault.NotFound, "insight.region_not_found", "没有找到这个地区，或不在您负责的范围内")
	ErrPeriod = fault.New(fault.Invalid, "insight.bad_period", "日期不对：开始不能晚于结束，最长一年，不能晚于今天")
)
