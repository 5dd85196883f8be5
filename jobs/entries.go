// Package jobs is the list of cron entries. Each calls one service method;
// internal/schedule runs them. Add a line to Entries and a field to Services.
package jobs

import (
	"context"
	"time"

	"jiamenkou/internal/schedule"
)

// Services are the methods that the entries call; the composition root passes
// them. Each must be idempotent.
type Services struct {
	PruneQueue   func(ctx context.Context) (int64, error) // queue.Worker.Prune
	PruneHistory func(ctx context.Context) (int64, error) // schedule.History.Prune

	PurgeSessions func(ctx context.Context) (int, error) // identity.Service.PurgeSessions
	ExpireLots    func(ctx context.Context) (int, error) // ledger.Service.ExpireLots

	// Points: notices, alerts, what people do about postings.
	NoticeExpiring    func(ctx context.Context) (int, error) // ledger.Service.NoticeExpiring
	CheckBudgets      func(ctx context.Context) (int, error) // policy.Service.CheckBudgets
	ExpireAdjustments func(ctx context.Context) (int, error) // recourse.Service.ExpireAdjustments
	CloseObjections   func(ctx context.Context) (int, error) // recourse.Service.CloseObjections

	// Tamper evidence.
	LinkTransfers   func(ctx context.Context) (int, error)    // ledger.Service.LinkTransfers
	RelinkTransfers func(ctx context.Context) (int, error)    // ledger.Service.RelinkTransfers
	Seal            func(ctx context.Context) (string, error) // ledger.Service.Seal

	Audit             func(ctx context.Context) (string, error)   // every service's audit; freezes what differs
	CloseSettlement   func(ctx context.Context) (int, int, error) // settlement.Service.CloseDue: periods, statements
	ConfirmStatements func(ctx context.Context) (int, error)      // settlement.Service.ConfirmOverdue
	ExpireReadings    func(ctx context.Context) (int, error)      // reading.Service.ExpireSessions

	ReleaseOrders func(ctx context.Context) (int, error) // market.Service.ReleaseExpired

	// Casework.
	ConfirmCases   func(ctx context.Context) (int, error) // casework.Service.AutoConfirm
	DropPositions  func(ctx context.Context) (int, error) // casework.Service.DropPositions
	DeleteOrphans  func(ctx context.Context) (int, error) // casework.Service.DeleteOrphans
	ResubmitImages func(ctx context.Context) (int, error) // casework.Service.ResubmitImages

	// Volunteering.
	FinishActivities func(ctx context.Context) (int, error) // volunteer.Service.FinishActivities
	DropCoordinates  func(ctx context.Context) (int, error) // volunteer.Service.DropCoordinates

	// Leaderboards.
	BuildLeaderboards  func(ctx context.Context) (int, error)   // leaderboard.Service.Build
	RefreshLeaderboard func(ctx context.Context) (int, error)   // leaderboard.Service.RefreshConsents
	PruneLeaderboards  func(ctx context.Context) (int64, error) // leaderboard.Service.Prune

	// Messages.
	PruneMessages func(ctx context.Context) (int64, error) // notify.Service.Prune

	CleanExports      func(ctx context.Context) (int, error) // export.Service.Clean
	DeleteUnusedMedia func(ctx context.Context) (int, error) // media.Service.DeleteUnused

	// Dashboard.
	CountDays    func(ctx context.Context) (int, error) // insight.Service.CountDays
	CountRegions func(ctx context.Context) (int, error) // insight.Service.CountRegions
}

// Entries is the table of jobs. Their times are on the Shanghai calendar.
func Entries(s Services) []schedule.Entry { //nolint:funlen // a table
	return []schedule.Entry{
		{
			Name: "queue.prune", Title: "清理已完成的后台任务", Schedule: "17 * * * *",
			Timeout: 10 * time.Minute, Run: deleted(s.PruneQueue),
		},
		{
			Name: "schedule.prune", Title: "清理定时任务的历史记录", Schedule: "40 4 * * *", CatchUp: true,
			Timeout: 10 * time.Minute, Run: deleted(s.PruneHistory),
		},
		{
			Name: "identity.purge", Title: "清理过期的登录会话", Schedule: "50 3 * * *", CatchUp: true,
			Timeout: 10 * time.Minute, Run: counted("deleted", s.PurgeSessions),
		},
		{
			Name: "ledger.expire", Title: "积分到期", Schedule: "10 0 * * *", CatchUp: true,
			Timeout: time.Hour, Run: counted("expired_lots", s.ExpireLots),
		},
		{
			Name: "ledger.seal_links", Title: "记账入链", Schedule: "* * * * *",
			Timeout: 10 * time.Minute, Run: counted("linked", s.LinkTransfers),
		},
		{
			Name: "ledger.seal", Title: "封存前一日账目", Schedule: "30 0 * * *", CatchUp: true,
			Timeout: time.Hour, Run: s.Seal,
		},
		{
			Name: "ledger.relink", Title: "查找漏入链的记账", Schedule: "30 4 * * 0", CatchUp: true,
			Timeout: 2 * time.Hour, Run: counted("linked", s.RelinkTransfers),
		},
		{
			Name: "ledger.notice", Title: "提醒即将到期的积分", Schedule: "0 9 * * *", CatchUp: true,
			Timeout: time.Hour, Run: counted("notices", s.NoticeExpiring),
		},
		{
			Name: "policy.budgets", Title: "检查预算余量", Schedule: "*/5 * * * *",
			Timeout: 5 * time.Minute, Run: counted("alerts", s.CheckBudgets),
		},
		{
			Name: "recourse.expire", Title: "超时未审批的调账失效", Schedule: "50 * * * *", CatchUp: true,
			Timeout: 10 * time.Minute, Run: counted("expired", s.ExpireAdjustments),
		},
		{
			Name: "recourse.close", Title: "结束已答复的异议", Schedule: "5 4 * * *", CatchUp: true,
			Timeout: 10 * time.Minute, Run: counted("closed", s.CloseObjections),
		},
		{
			Name: "market.release", Title: "释放逾期未核销的兑换单", Schedule: "* * * * *",
			Timeout: 10 * time.Minute, Run: counted("released", s.ReleaseOrders),
		},
		{
			Name: "settlement.close", Title: "结算前一日并生成结算单", Schedule: "5 2 * * *", CatchUp: true,
			Timeout: time.Hour, Run: closing(s.CloseSettlement),
		},
		{
			Name: "settlement.confirm", Title: "逾期未答复的结算单视为确认", Schedule: "25 * * * *", CatchUp: true,
			Timeout: 10 * time.Minute, Run: counted("confirmed", s.ConfirmStatements),
		},
		{
			Name: "casework.confirm", Title: "逾期未答复的事件自动确认", Schedule: "20 * * * *", CatchUp: true,
			Timeout: 10 * time.Minute, Run: counted("confirmed", s.ConfirmCases),
		},
		{
			Name: "casework.positions", Title: "删除到期的定位坐标", Schedule: "15 1 * * *", CatchUp: true,
			Timeout: 30 * time.Minute, Run: counted("dropped", s.DropPositions),
		},
		{
			Name: "casework.orphans", Title: "清理没有使用的上传图片", Schedule: "35 * * * *", CatchUp: true,
			Timeout: 30 * time.Minute, Run: counted("deleted", s.DeleteOrphans),
		},
		{
			Name: "casework.images", Title: "重新送审没有结果的图片", Schedule: "45 * * * *", CatchUp: true,
			Timeout: 10 * time.Minute, Run: counted("handed_over", s.ResubmitImages),
		},
		{
			Name: "reading.expire", Title: "结束超时未完成的阅读", Schedule: "*/10 * * * *",
			Timeout: 5 * time.Minute, Run: counted("expired_sessions", s.ExpireReadings),
		},
		{
			Name: "audit", Title: "全面对账", Schedule: "30 3 * * *", CatchUp: true,
			Timeout: 4 * time.Hour, Run: s.Audit,
		},
		{
			Name: "volunteer.finish", Title: "结束已过期的志愿活动", Schedule: "30 * * * *", CatchUp: true,
			Timeout: 30 * time.Minute, Run: counted("finished", s.FinishActivities),
		},
		{
			Name: "volunteer.coordinates", Title: "删除到期的签到坐标", Schedule: "25 1 * * *", CatchUp: true,
			Timeout: 30 * time.Minute, Run: counted("dropped", s.DropCoordinates),
		},
		{
			Name: "leaderboard.build", Title: "统计榜单积分", Schedule: "*/5 * * * *",
			Timeout: 10 * time.Minute, Run: counted("applied", s.BuildLeaderboards),
		},
		{
			Name: "leaderboard.consents", Title: "更新榜单的同意与撤回", Schedule: "* * * * *",
			Timeout: 5 * time.Minute, Run: counted("residents", s.RefreshLeaderboard),
		},
		{
			Name: "leaderboard.prune", Title: "清理过期的榜单", Schedule: "20 4 * * *", CatchUp: true,
			Timeout: 30 * time.Minute, Run: deleted(s.PruneLeaderboards),
		},
		{
			Name: "notify.prune", Title: "清理过期的消息", Schedule: "35 4 * * *", CatchUp: true,
			Timeout: 30 * time.Minute, Run: deleted(s.PruneMessages),
		},
		{
			Name: "export.clean", Title: "删除到期的导出文件", Schedule: "15 * * * *", CatchUp: true,
			Timeout: 10 * time.Minute, Run: counted("exports", s.CleanExports),
		},
		{
			Name: "media.unused", Title: "清理没有使用的封面与录音", Schedule: "45 1 * * *", CatchUp: true,
			Timeout: 30 * time.Minute, Run: counted("deleted", s.DeleteUnusedMedia),
		},
		{
			Name: "insight.days", Title: "统计看板的每日数据", Schedule: "*/10 * * * *", CatchUp: true,
			Timeout: 30 * time.Minute, Run: counted("days", s.CountDays),
		},
		{
			Name: "insight.regions", Title: "统计各地区的居民与积分余额", Schedule: "55 * * * *", CatchUp: true,
			Timeout: 30 * time.Minute, Run: counted("regions", s.CountRegions),
		},
	}
}

// closing says what a closing did.
func closing(run func(ctx context.Context) (periods, statements int, err error)) func(context.Context) (string, error) {
	if run == nil {
		return nil
	}
	return func(ctx context.Context) (string, error) {
		periods, statements, err := run(ctx)
		return schedule.Counts{{Name: "periods", N: int64(periods)}, {Name: "statements", N: int64(statements)}}.String(), err
	}
}

// counted says how many of what. A nil method stays nil, as in deleted.
func counted(what string, run func(ctx context.Context) (int, error)) func(context.Context) (string, error) {
	if run == nil {
		return nil
	}
	return func(ctx context.Context) (string, error) {
		n, err := run(ctx)
		return schedule.Counts{{Name: what, N: int64(n)}}.String(), err
	}
}

// deleted reports the count that a pruning returns. A nil method stays nil, so
// that schedule.New refuses the entry.
func deleted(prune func(ctx context.Context) (int64, error)) func(context.Context) (string, error) {
	if prune == nil {
		return nil
	}
	return func(ctx context.Context) (string, error) {
		n, err := prune(ctx)
		return schedule.Counts{{Name: "deleted", N: n}}.String(), err
	}
}
