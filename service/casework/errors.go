package casework

import (
	"time"

	"jiamenkou/internal/fault"
)

// Errors of cases.
var (
	ErrNotFound       = fault.New(fault.NotFound, "casework.not_found", "没有找到这个事件")
	ErrMove           = fault.New(fault.Conflict, "casework.move_not_allowed", "事件当前的状态不能这样操作，请刷新后查看")
	ErrChanged        = fault.New(fault.Conflict, "casework.changed", "事件刚被他人处理，请刷新后再操作")
	ErrContentPending = fault.New(fault.Conflict, "casework.content_pending", "内容还没有通过审核，请先审核内容")
	ErrContentDecided = fault.New(fault.Conflict, "casework.content_decided", "内容已经审核过了，请刷新后查看")
	ErrTextRefused    = fault.New(fault.Invalid, "casework.text_refused", "内容可能违反平台规定，请修改文字后再提交")
	ErrNoVillage      = fault.New(fault.Invalid, "casework.no_village", "不知道事件在哪个村社，请手动选择或开启定位")
	ErrRegion         = fault.New(fault.Invalid, "casework.bad_region", "请选择本县市区内的村社、网格或更小的区域")
	ErrDailyReports   = fault.New(fault.TooMany, "casework.daily_reports", "今天上报的次数已用完，请明天再来；紧急情况请直接联系网格员")
	ErrKeyReused      = fault.New(fault.Invalid, "casework.key_reused", "提交的内容与上一次不同，请重新提交")
	ErrReopenLimit    = fault.New(fault.Conflict, "casework.reopen_limit", "重办次数已用完，请直接联系村社工作人员")
	ErrAssignee       = fault.New(fault.Invalid, "casework.bad_assignee", "这位工作人员不能办理此地的事件，请换一位")
)

// Errors of pictures.
var (
	ErrPictureNotFound = fault.New(fault.NotFound, "casework.picture_not_found", "没有找到这张图片")
	ErrPictureRejected = fault.New(fault.Gone, "casework.picture_rejected", "这张图片没有通过审核，不能查看")
	ErrPictureDecided  = fault.New(fault.Conflict, "casework.picture_decided", "这张图片已经审核过了，请刷新后查看")
	ErrPictureUse      = fault.New(fault.Invalid, "casework.picture_unusable", "有图片已失效、已用过或没有通过审核，请重新上传")
	ErrNotPicture      = fault.New(fault.Invalid, "casework.not_picture", "只能上传 JPG 或 PNG 图片，请重新选择")
	ErrPictureTooLarge = fault.New(fault.TooLarge, "casework.picture_too_large", "图片太大，请压缩后再上传")
	ErrDailyUploads    = fault.New(fault.TooMany, "casework.daily_uploads", "今天上传的图片太多，请明天再来")
	ErrLink            = fault.New(fault.Forbidden, "casework.bad_link", "图片链接已失效，请刷新页面")
	ErrUploadsBusy     = busy(fault.New(fault.Unavailable, "casework.uploads_busy", "上传的人太多，请稍后再试"))
	// ErrVerdictEarly: a verdict came before its trace id was written down;
	// WeChat sends it again.
	ErrVerdictEarly = busy(fault.New(fault.Unavailable, "casework.verdict_early", "请稍后再推送一次"))
)

const codeInvalid = "casework.invalid"

func busy(e *fault.Error) *fault.Error {
	e.RetryAfter = 3 * time.Second
	return e
}
