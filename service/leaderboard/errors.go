package leaderboard

import "jiamenkou/internal/fault"

// What the callers of this package can act on. Compare with errors.Is.
var (
	ErrOff    = fault.New(fault.NotFound, "leaderboard.off", "本县没有开启居民榜单，自己的积分可在积分明细中查看")
	ErrNoHome = fault.New(fault.Conflict, "leaderboard.no_home", "请先选择居住的村社，再查看榜单")
	ErrRegion = fault.New(fault.NotFound, "leaderboard.region_not_found", "没有找到这个区域的榜单，请选择本县的镇街或村社")
	ErrPeriod = fault.New(fault.Invalid, "leaderboard.bad_period", "请选择最近 13 个月内的周或月")
	ErrLevel  = fault.New(fault.Invalid, "leaderboard.bad_level", "请选择县市区、镇街或村社")
)
