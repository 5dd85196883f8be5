package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/schedule"
)

// scheduledJobDTO is a scheduled job.
type scheduledJobDTO struct {
	Name           string           `json:"name" example:"queue.prune"`
	Title          string           `json:"title"`
	Schedule       string           `json:"schedule" example:"17 * * * *" doc:"分 时 日 月 周，北京时间"`
	CatchUp        bool             `json:"catch_up" doc:"错过后补跑一次"`
	TimeoutSeconds int64            `json:"timeout_seconds"`
	NextAt         *time.Time       `json:"next_at,omitempty"`
	Overdue        bool             `json:"overdue" doc:"到点后一直没有运行"`
	Failing        bool             `json:"failing" doc:"上一次没有成功"`
	LastRun        *scheduledRunDTO `json:"last_run,omitempty"`
}

// scheduledRunDTO is one run of a scheduled job.
type scheduledRunDTO struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	ScheduledAt time.Time  `json:"scheduled_at"`
	Cause       string     `json:"cause" enum:"tick,catch_up,takeover,manual" doc:"tick 到点，catch_up 补跑，takeover 接手中断的一次，manual 人工"`
	RequestedBy string     `json:"requested_by,omitempty" doc:"人工运行时的工作人员编号"`
	Requester   string     `json:"requester_name,omitempty" doc:"运行历史里，人工运行的工作人员姓名"`
	Instance    string     `json:"instance"`
	Status      string     `json:"status" enum:"running,succeeded,failed,abandoned"`
	StartedAt   time.Time  `json:"started_at"`
	FinishedAt  *time.Time `json:"finished_at,omitempty"`
	Result      string     `json:"result" doc:"运行留下的原文"`
	Counts      []countDTO `json:"counts" doc:"结果里的数；没有数时为空"`
	Error       string     `json:"error"`
}

func (d *scheduledRunDTO) actor() (string, *string) { return d.RequestedBy, &d.Requester }

type runJobInput struct {
	Name string `path:"name" maxLength:"64" pattern:"^[a-z][a-z0-9_.-]{1,63}$"`
}

type listJobRunsInput struct {
	Name string `path:"name" maxLength:"64" pattern:"^[a-z][a-z0-9_.-]{1,63}$"`
	httpapi.SortedQuery
}

func (s *server) listJobs(ctx context.Context, in *listInput) (*httpapi.Body[httpapi.PageBody[scheduledJobDTO]], error) {
	return httpapi.Listed(scheduledJobOf)(s.Jobs.List(ctx, authz.FromContext(ctx), in.Request()))
}

func (s *server) listJobRuns(ctx context.Context, in *listJobRunsInput) (*httpapi.Body[httpapi.PageBody[scheduledRunDTO]], error) {
	page, err := s.Jobs.Runs(ctx, authz.FromContext(ctx), in.Name, in.Request())
	if err != nil {
		return nil, err
	}
	out := httpapi.PageOf(page, scheduledRunOf)
	return httpapi.OK(out), nameActors(ctx, s, out.Items)
}

func (s *server) runJob(ctx context.Context, in *runJobInput) (*httpapi.Body[scheduledRunDTO], error) {
	run, err := s.Jobs.RunNow(ctx, authz.FromContext(ctx), in.Name)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(scheduledRunOf(run)), nil
}

func scheduledJobOf(e schedule.Status) scheduledJobDTO {
	out := scheduledJobDTO{
		Name: e.Name, Title: e.Title, Schedule: e.Schedule, CatchUp: e.CatchUp, TimeoutSeconds: int64(e.Timeout.Seconds()),
		Overdue: e.Overdue, Failing: e.Failing,
	}
	if e.NextAt != 0 {
		out.NextAt = clock.TimePtr(&e.NextAt)
	}
	if e.Last != nil {
		last := scheduledRunOf(*e.Last)
		out.LastRun = &last
	}
	return out
}

func scheduledRunOf(r schedule.Run) scheduledRunDTO {
	return scheduledRunDTO{
		ID: r.ID, Name: r.Name, ScheduledAt: r.ScheduledAt.Time(), Cause: string(r.Cause), RequestedBy: r.RequestedBy,
		Instance: r.Instance, Status: string(r.Status), StartedAt: r.StartedAt.Time(), FinishedAt: clock.TimePtr(r.FinishedAt),
		Result: r.Result, Counts: countsOf(r.Result), Error: r.Error,
	}
}

// countDTO is one number of a result.
type countDTO struct {
	Name  string `json:"name" example:"deleted"`
	Count int64  `json:"count"`
}

func countsOf(result string) []countDTO {
	out := []countDTO{}
	for _, c := range schedule.ParseCounts(result) {
		out = append(out, countDTO{c.Name, c.N})
	}
	return out
}
