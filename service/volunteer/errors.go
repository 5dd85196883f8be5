package volunteer

import "jiamenkou/internal/fault"

// Errors of volunteering.
var (
	ErrActivityMissing = fault.New(fault.NotFound, "volunteer.activity_not_found", "没有找到这个活动")
	ErrShiftMissing    = fault.New(fault.NotFound, "volunteer.shift_not_found", "没有找到这个班次")
	ErrSignupMissing   = fault.New(fault.NotFound, "volunteer.signup_not_found", "没有找到这条报名，请先报名")
	ErrRecordMissing   = fault.New(fault.NotFound, "volunteer.record_not_found", "没有找到这条服务记录")

	ErrBadMove      = fault.New(fault.Conflict, "volunteer.bad_status", "当前状态不能这样操作，请刷新后查看")
	ErrChanged      = fault.New(fault.Conflict, "volunteer.changed", "内容刚被他人修改，请刷新后再试")
	ErrNoShift      = fault.New(fault.Conflict, "volunteer.no_shift", "请先添加还没结束的班次，再发布活动")
	ErrTooManyShift = fault.New(fault.Conflict, "volunteer.too_many_shifts", "一个活动的班次太多，请另建活动")
	ErrShiftInUse   = fault.New(fault.Conflict, "volunteer.shift_in_use", "已有人报名，不能改时间；请取消本班次后另建")
	ErrCapacity     = fault.New(fault.Conflict, "volunteer.capacity_below_signups", "名额不能少于已报名人数")
	ErrStarted      = fault.New(fault.Conflict, "volunteer.already_attended", "已有人签到，不能取消；请在结束后确认服务时长")

	ErrNoHomeRegion   = fault.New(fault.Conflict, "volunteer.no_home_region", "请先选择您居住的村社，再报名")
	ErrNotOpen        = fault.New(fault.Conflict, "volunteer.not_open", "这个班次不接受报名")
	ErrSignupClosed   = fault.New(fault.Conflict, "volunteer.signup_closed", "班次已经开始，不能再报名")
	ErrFull           = fault.New(fault.Conflict, "volunteer.shift_full", "名额已满，请选择其他班次")
	ErrOverlap        = fault.New(fault.Conflict, "volunteer.signup_overlap", "您在这个时间段已报名其他班次")
	ErrTooManySignups = fault.New(fault.Conflict, "volunteer.too_many_signups", "您报名的班次太多，请先参加或取消已报名的班次")
	ErrCancelTooLate  = fault.New(fault.Conflict, "volunteer.cancel_too_late", "班次已经开始，不能取消；有事请联系组织者")

	ErrCodeHours         = fault.New(fault.Conflict, "volunteer.code_not_now", "签到时间还没到或已经结束，暂无签到码")
	ErrTooEarly          = fault.New(fault.Conflict, "volunteer.check_in_too_early", "还没到签到时间，请稍后再来")
	ErrTooLate           = fault.New(fault.Conflict, "volunteer.check_in_too_late", "签到时间已过，请联系组织者")
	ErrCodeWrong         = fault.New(fault.Invalid, "volunteer.code_wrong", "签到码不正确，请重新扫描组织者屏幕上的码")
	ErrCodeExpired       = fault.New(fault.Gone, "volunteer.code_expired", "签到码已更新，请重新扫描组织者屏幕上的码")
	ErrOutside           = fault.New(fault.Conflict, "volunteer.outside", "您不在活动地点附近，请到现场后再试")
	ErrInaccurate        = fault.New(fault.Conflict, "volunteer.position_inaccurate", "定位不够准确，请到开阔处重新定位后再试")
	ErrTooManyAttempts   = fault.New(fault.TooMany, "volunteer.too_many_attempts", "尝试次数太多，请过几分钟再试，或请组织者帮您登记")
	ErrStillElsewhere    = fault.New(fault.Conflict, "volunteer.still_checked_in", "您在另一个班次还没有签退，请先签退")
	ErrNotCheckedIn      = fault.New(fault.Conflict, "volunteer.not_checked_in", "还没有签到")
	ErrNotCheckedOut     = fault.New(fault.Conflict, "volunteer.not_checked_out", "还没有签退，请先补登签退时间")
	ErrAlreadyMarked     = fault.New(fault.Conflict, "volunteer.already_marked", "已有签到或签退时间，不能改写")
	ErrHandMarksClosed   = fault.New(fault.Conflict, "volunteer.hand_marks_closed", "班次结束已超过 3 天，不能再登记签到；请走补录")
	ErrSecondPerson      = fault.New(fault.Conflict, "volunteer.second_person", "手工登记的时长必须由另一位工作人员确认")
	ErrMinutesTooMany    = fault.New(fault.Conflict, "volunteer.minutes_too_many", "确认的时长不能超过实际在场的时长")
	ErrDayLimit          = fault.New(fault.Conflict, "volunteer.day_limit", "一人一天的服务时长不能超过 12 小时")
	ErrRecordOverlap     = fault.New(fault.Conflict, "volunteer.record_overlap", "这个时间段已有另一条服务记录")
	ErrParentRegion      = fault.New(fault.Forbidden, "volunteer.parent_region", "一天超过 8 小时的记录，须由上级地区审批")
	ErrCorrectionMissing = fault.New(fault.NotFound, "volunteer.correction_not_found", "没有找到这条更正")
	ErrNotCorrectable    = fault.New(fault.Conflict, "volunteer.not_correctable", "只有一年以内已生效的服务记录可以更正")
	ErrCorrectionOpen    = fault.New(fault.Conflict, "volunteer.correction_open", "这条记录已有一条更正正在处理")
	ErrAskedOften        = fault.New(fault.Conflict, "volunteer.asked_often", "这条记录的更正次数已到上限，请联系组织者")
	ErrOwnCorrection     = fault.New(fault.Conflict, "volunteer.own_correction", "更正须由提交人以外的另一位工作人员审批")
	ErrIdempotency       = fault.New(fault.Invalid, "volunteer.idempotency_conflict", "同一请求号对应的内容不一致，请重新发起")
	errBusy              = fault.New(fault.Unavailable, "volunteer.busy", "系统繁忙，请稍后再试")
)

const codeInvalid = "volunteer.invalid"
