package api

import (
	"context"
	"io"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/export"
)

type exportDTO struct {
	ID         string     `json:"id"`
	Resource   string     `json:"resource"`
	Format     string     `json:"format" enum:"csv,xlsx"`
	Status     string     `json:"status" enum:"queued,running,done,failed,expired"`
	RowsDone   int64      `json:"rows_done" doc:"已写的行数"`
	Truncated  bool       `json:"truncated" doc:"超过一次导出的上限，只有前面的部分"`
	SizeBytes  int64      `json:"size_bytes"`
	Error      string     `json:"error" doc:"没有成功的原因"`
	CreatedAt  time.Time  `json:"created_at"`
	FinishedAt *time.Time `json:"finished_at"`
	ExpiresAt  *time.Time `json:"expires_at" doc:"此后文件被删除"`
}

func exportOf(e export.Export) exportDTO {
	return exportDTO{
		ID: e.ID, Resource: e.Resource, Format: e.Format, Status: string(e.Status), RowsDone: e.RowsDone, Truncated: e.Truncated,
		SizeBytes: e.SizeBytes, Error: e.Error, CreatedAt: e.CreatedAt.Time(), FinishedAt: clock.TimePtr(e.FinishedAt), ExpiresAt: clock.TimePtr(e.ExpiresAt),
	}
}

type exportFiltersDTO struct {
	MerchantID  string `json:"merchant_id,omitempty" maxLength:"26"`
	StatementID string `json:"statement_id,omitempty" maxLength:"26"`
	ShiftID     string `json:"shift_id,omitempty" maxLength:"26"`
	RegionID    string `json:"region_id,omitempty" maxLength:"26"`
	Status      string `json:"status,omitempty" maxLength:"32"`
	Kind        string `json:"kind,omitempty" maxLength:"64" doc:"记录类型、调账类型、积分事件或操作名"`
	Category    string `json:"category,omitempty" maxLength:"32"`
	Text        string `json:"text,omitempty" maxLength:"40" doc:"搜索内容；操作留痕：操作人的姓名或登录名"`
	From        string `json:"from,omitempty" format:"date"`
	To          string `json:"to,omitempty" format:"date"`
}

type createExportInput struct {
	Body struct {
		Resource string           `json:"resource" enum:"merchants,benefits,redemptions,statements,statement_lines,cases,service_records,activities,attendances,adjustments,budgets,policy_rules,audit_log,orders,residents,staff,articles,objections"`
		Format   string           `json:"format" enum:"csv,xlsx"`
		Filters  exportFiltersDTO `json:"filters" required:"false" doc:"与列表的筛选条件相同；没有的条件会被拒绝"`
		Sort     string           `json:"sort,omitempty" maxLength:"64" doc:"与列表的排序相同；不填则与不排序的列表相同"`
	}
}

func (s *server) createExport(ctx context.Context, in *createExportInput) (*httpapi.Body[exportDTO], error) {
	e, err := s.Export.Create(ctx, authz.FromContext(ctx), export.Request{
		Resource: in.Body.Resource, Format: in.Body.Format, Filters: export.Filters(in.Body.Filters), Sort: in.Body.Sort,
	})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(exportOf(e)), nil
}

func (s *server) listExports(ctx context.Context, in *sortedListInput) (*httpapi.Body[httpapi.PageBody[exportDTO]], error) {
	return httpapi.Listed(exportOf)(s.Export.Exports(ctx, authz.FromContext(ctx), in.Request()))
}

func (s *server) getExport(ctx context.Context, in *idInput) (*httpapi.Body[exportDTO], error) {
	e, err := s.Export.Export(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(exportOf(e)), nil
}

var exportTypes = map[string]string{
	"csv":  "text/csv; charset=utf-8",
	"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

func (s *server) getExportFile(ctx context.Context, in *idInput) (*huma.StreamResponse, error) {
	e, file, err := s.Export.Open(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return httpapi.Download(exportTypes[e.Format], export.FileName(e), func(w io.Writer) {
		defer file.Close()      //nolint:errcheck // it was only read
		_, _ = io.Copy(w, file) // the reader went away: nobody is left to tell
	}), nil
}
