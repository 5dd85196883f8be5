package reading

import "jiamenkou/internal/fault"

// Errors of articles.
var (
	ErrArticleNotFound = fault.New(fault.NotFound, "reading.article_not_found", "没有找到这篇播报，它可能已被撤回，请看看其他播报")
	ErrMove            = fault.New(fault.Conflict, "reading.move_not_allowed", "播报当前的状态不能这样操作，请刷新后查看")
	ErrChanged         = fault.New(fault.Conflict, "reading.changed", "播报刚被他人修改，请刷新后再操作")
)

// Errors of reading sessions and sign-ins.
var (
	ErrSessionNotFound = fault.New(fault.NotFound, "reading.session_not_found", "没有找到这次阅读，请重新打开播报")
	ErrSessionOver     = fault.New(fault.Gone, "reading.session_over", "这次阅读已结束，请重新打开播报")
	ErrWithdrawn       = fault.New(fault.Gone, "reading.withdrawn", "这篇播报已撤回，不再计分，请看看其他播报")
	ErrTooShort        = fault.New(fault.Conflict, "reading.too_short", "阅读时间还不够，请继续阅读")
	ErrNoHome          = fault.New(fault.Conflict, "reading.no_home", "请先在“我的”里选择居住的村社")
	ErrSignInOff       = fault.New(fault.Forbidden, "reading.sign_in_off", "本地区没有开通每日签到，可以看看播报和志愿活动")
)

// Errors of quizzes.
var (
	ErrNoQuiz      = fault.New(fault.NotFound, "reading.no_quiz", "这篇播报没有小问题，读完就可以完成")
	ErrQuizFirst   = fault.New(fault.Conflict, "reading.quiz_first", "请先答对文末的小问题，再点“读完了”")
	ErrQuizTries   = fault.New(fault.TooMany, "reading.quiz_tries", "今天的三次机会用完了，明天再读一遍试试")
	ErrQuizChanged = fault.New(fault.Conflict, "reading.quiz_changed", "小问题刚刚更新，请刷新后重新作答")
	ErrKeyReused   = fault.New(fault.Invalid, "reading.idempotency_key_reused", "请刷新页面后重新提交")
)

const codeInvalid = "reading.invalid"
