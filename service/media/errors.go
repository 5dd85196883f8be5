package media

import "jiamenkou/internal/fault"

// Errors of media.
var (
	ErrMissing      = fault.New(fault.NotFound, "media.not_found", "没有找到这个文件，请刷新页面")
	ErrNotPicture   = fault.New(fault.Invalid, "media.not_a_picture", "请上传 JPG 或 PNG 图片")
	ErrNotAudio     = fault.New(fault.Invalid, "media.not_audio", "请上传 MP3 或 M4A 录音")
	ErrTooLarge     = fault.New(fault.TooLarge, "media.too_large", "文件太大：图片不超过 5 MB，录音不超过 10 MB，请压缩后再上传")
	ErrDailyUploads = fault.New(fault.TooMany, "media.daily_uploads", "今天上传得太多了，请明天再传")
)
