package api

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/assurance"
)

// AuditRunDTO is a run in a list, and the head of its detail.
type AuditRunDTO struct {
	ID              string     `json:"id"`
	Cause           string     `json:"cause" enum:"nightly,staff"`
	RequestedName   string     `json:"requested_name" doc:"空表示每晚自动对账"`
	Status          string     `json:"status" enum:"queued,running,sound,different,failed"`
	FreezesAccounts bool       `json:"freezes_accounts" doc:"每晚的对账冻结有差异的账户"`
	Done            int64      `json:"done"`
	Total           int64      `json:"total" doc:"账户、记账与各项明细合计；0 表示还没有开始"`
	SecondsLeft     *int64     `json:"seconds_left" doc:"按已完成的速度估计，空表示还不知道"`
	Accounts        int64      `json:"accounts"`
	Links           int64      `json:"links" doc:"链节"`
	Journals        int64      `json:"journals"`
	Seals           int64      `json:"seals"`
	CheckedRows     int64      `json:"checked_rows" doc:"兑换、核销、结算等明细"`
	DifferenceCount int64      `json:"difference_count"`
	FrozenCount     int64      `json:"frozen_count" doc:"冻结的账户"`
	Error           string     `json:"error"`
	CreatedAt       time.Time  `json:"created_at"`
	StartedAt       *time.Time `json:"started_at"`
	FinishedAt      *time.Time `json:"finished_at"`
}

func auditRunOf(r assurance.RunView) AuditRunDTO {
	out := AuditRunDTO{
		ID: r.ID, Cause: string(r.Cause), RequestedName: r.RequestedName, Status: string(r.Status), FreezesAccounts: r.FreezesAccounts,
		Done: r.Done, Total: r.Total, Accounts: r.Accounts, Links: r.Links, Journals: r.Journals, Seals: r.Seals, CheckedRows: r.CheckedRows,
		DifferenceCount: r.DifferenceCount, FrozenCount: r.FrozenCount, Error: r.Error,
		CreatedAt: r.CreatedAt.Time(), StartedAt: clock.TimePtr(r.StartedAt), FinishedAt: clock.TimePtr(r.FinishedAt),
	}
	if r.Left != nil {
		out.SecondsLeft = new(int64(r.Left.Seconds()))
	}
	return out
}

type auditDifferenceDTO struct {
	ID        string `json:"id"`
	Section   string `json:"section" doc:"哪一部分的账"`
	Check     string `json:"check"`
	ObjectID  string `json:"object_id"`
	AccountID string `json:"account_id" doc:"空表示不涉及任何人的积分"`
	Seq       int64  `json:"seq" doc:"在账户链中的位置，0 表示不在链上"`
	Want      int64  `json:"want" doc:"按记账应有"`
	Got       int64  `json:"got" doc:"实际"`
	Note      string `json:"note"`
}

func auditDifferenceOf(d assurance.RunDifference) auditDifferenceDTO {
	return auditDifferenceDTO{
		ID: d.ID, Section: d.Section, Check: d.CheckName, ObjectID: d.ObjectID, AccountID: d.AccountID, Seq: d.Seq, Want: d.Want, Got: d.Got, Note: d.Note,
	}
}

type auditRunRecordDTO struct {
	AuditRunDTO
	Differences httpapi.PageBody[auditDifferenceDTO] `json:"differences"`
}

func (s *server) startAuditRun(ctx context.Context, _ *struct{}) (*httpapi.Body[AuditRunDTO], error) {
	run, err := s.Assurance.StartRun(ctx, authz.FromContext(ctx))
	if err != nil {
		return nil, err
	}
	return httpapi.OK(auditRunOf(run)), nil
}

func (s *server) listAuditRuns(ctx context.Context, in *sortedListInput) (*httpapi.Body[httpapi.PageBody[AuditRunDTO]], error) {
	return httpapi.Listed(auditRunOf)(s.Assurance.Runs(ctx, authz.FromContext(ctx), in.Request()))
}

type auditRunInput struct {
	httpapi.PageQuery
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

func (s *server) getAuditRun(ctx context.Context, in *auditRunInput) (*httpapi.Body[auditRunRecordDTO], error) {
	actor := authz.FromContext(ctx)
	run, err := s.Assurance.Run(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	found, err := s.Assurance.Differences(ctx, actor, in.ID, in.Request())
	if err != nil {
		return nil, err
	}
	return httpapi.OK(auditRunRecordDTO{auditRunOf(run), httpapi.PageOf(found, auditDifferenceOf)}), nil
}

// getAuditReport is a file: what `jiamenkou audit --json` prints.
func (s *server) getAuditReport(ctx context.Context, in *idInput) (*huma.StreamResponse, error) {
	report, err := s.Assurance.RunReport(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("api: audit report: %w", err)
	}
	return httpapi.DownloadBytes("application/json", "audit-"+in.ID+".json", append(text, '\n')), nil
}
