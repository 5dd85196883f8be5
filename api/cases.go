package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/casework"
)

type casePictureDTO struct {
	ID     string `json:"id"`
	Status string `json:"status" enum:"pending,passed,rejected"`
	URL    string `json:"url" doc:"短时有效的地址（不含域名）；空表示没有通过审核"`
	Width  int64  `json:"width"`
	Height int64  `json:"height"`
}

func casePictureOf(p casework.Picture) casePictureDTO {
	return casePictureDTO{ID: p.ID, Status: string(p.Status), URL: p.URL, Width: p.Width, Height: p.Height}
}

func (s *server) uploadPicture(ctx context.Context, file []byte) (casePictureDTO, error) {
	p, err := s.Casework.Upload(ctx, authz.FromContext(ctx), file)
	if err != nil {
		return casePictureDTO{}, err
	}
	return casePictureOf(p), nil
}

// casePictureFile streams a picture so that a browser takes it for nothing else.
type casePictureFile struct {
	ContentType  string `header:"Content-Type"`
	NoSniff      string `header:"X-Content-Type-Options"`
	CacheControl string `header:"Cache-Control"`
	Disposition  string `header:"Content-Disposition"`
	Policy       string `header:"Content-Security-Policy"`
	ETag         string `header:"ETag"` //nolint:tagliatelle // the standard spells it so
	Body         []byte
}

// CasePath names a case or picture in the path. Like what else is embedded here it is
// exported, since reflection cannot fill an embedded struct that is not.
type CasePath struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

func (s *server) openPicture(ctx context.Context, in *CasePath) (*casePictureFile, error) {
	f, err := s.Casework.OpenPicture(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &casePictureFile{
		ContentType: f.ContentType, NoSniff: "nosniff", CacheControl: "private, max-age=900", Disposition: "inline",
		Policy: "default-src 'none'; sandbox", ETag: `"` + f.SHA256 + `"`, Body: f.Data,
	}, nil
}

type decidePictureInput struct {
	CasePath
	Body struct {
		Pass bool `json:"pass"`
	}
}

func (s *server) decidePicture(ctx context.Context, in *decidePictureInput) (*struct{}, error) {
	return nil, s.Casework.DecideImage(ctx, authz.FromContext(ctx), in.ID, in.Body.Pass)
}

// CaseSummary is one case in a list.
type CaseSummary struct {
	ID            string          `json:"id"`
	Number        string          `json:"number" example:"20260131-0001"`
	Kind          string          `json:"kind" enum:"report,dispute"`
	Category      string          `json:"category"`
	Title         string          `json:"title"`
	Text          string          `json:"text"`
	RegionID      string          `json:"region_id"`
	RegionName    string          `json:"region_name"`
	Address       string          `json:"address"`
	ContentStatus string          `json:"content_status" enum:"pending,passed,rejected"`
	Status        string          `json:"status" enum:"submitted,accepted,dispatched,handling,handled,reopened,confirmed,closed,rejected,withdrawn"`
	Version       int64           `json:"version" doc:"操作时带回，防止覆盖他人的操作"`
	AssigneeID    string          `json:"assignee_id" doc:"空表示还没有分派"`
	AssigneeName  string          `json:"assignee_name"`
	DueAt         *time.Time      `json:"due_at"`
	Overdue       bool            `json:"overdue"`
	ConfirmBy     *time.Time      `json:"confirm_by" doc:"到期未答复将自动确认"`
	Rating        int64           `json:"rating" doc:"居民评分，0 表示没有"`
	Cover         *casePictureDTO `json:"cover"`
	CreatedAt     time.Time       `json:"created_at"`
	UpdatedAt     time.Time       `json:"updated_at"`
}

func caseSummaryOf(c casework.Summary) CaseSummary {
	out := CaseSummary{
		ID: c.ID, Number: c.Number, Kind: string(c.Kind), Category: string(c.Category), Title: c.Title, Text: c.Text,
		RegionID: c.RegionID, RegionName: c.RegionName, Address: c.Address, ContentStatus: string(c.ContentStatus),
		Status: string(c.Status), Version: c.Version, AssigneeID: c.AssigneeID, AssigneeName: c.AssigneeName,
		DueAt: clock.TimePtr(c.DueAt), Overdue: c.Overdue, ConfirmBy: clock.TimePtr(c.ConfirmBy), Rating: c.Rating,
		CreatedAt: c.CreatedAt.Time(), UpdatedAt: c.UpdatedAt.Time(),
	}
	if c.Cover != nil {
		cover := casePictureOf(*c.Cover)
		out.Cover = &cover
	}
	return out
}

type listCasesInput struct {
	httpapi.SortedQuery
	Status        []string `query:"status,explode" maxItems:"10" doc:"只看这些状态，可重复"`
	RegionID      string   `query:"region_id" maxLength:"26" doc:"含下级区域"`
	Category      string   `query:"category" maxLength:"32"`
	ContentStatus string   `query:"content_status" maxLength:"16" doc:"pending：等人审核内容"`
	Overdue       bool     `query:"overdue" doc:"只看超期"`
	Mine          bool     `query:"mine" doc:"只看分派给我的"`
	Text          string   `query:"text" maxLength:"50" doc:"编号、内容或地址"`
}

func (s *server) listCases(ctx context.Context, in *listCasesInput) (*httpapi.Body[httpapi.PageBody[CaseSummary]], error) {
	filter := casework.BoardFilter{
		RegionID: in.RegionID, Category: casework.Category(in.Category), ContentStatus: casework.ContentStatus(in.ContentStatus),
		Overdue: in.Overdue, Mine: in.Mine, Text: in.Text,
	}
	for _, status := range in.Status {
		filter.Statuses = append(filter.Statuses, casework.Status(status))
	}
	return httpapi.Listed(caseSummaryOf)(s.Casework.Board(ctx, authz.FromContext(ctx), filter, in.Request()))
}

type countCasesInput struct {
	RegionID string `query:"region_id" maxLength:"26" doc:"含下级区域"`
}

type caseCountDTO struct {
	Status  string `json:"status"`
	Cases   int64  `json:"cases"`
	Overdue int64  `json:"overdue"`
}

type caseCountsDTO struct {
	Items []caseCountDTO `json:"items"`
}

func (s *server) countCases(ctx context.Context, in *countCasesInput) (*httpapi.Body[caseCountsDTO], error) {
	counts, err := s.Casework.Counts(ctx, authz.FromContext(ctx), in.RegionID)
	if err != nil {
		return nil, err
	}
	out := caseCountsDTO{Items: make([]caseCountDTO, 0, len(counts))}
	for _, c := range counts {
		out.Items = append(out.Items, caseCountDTO{Status: string(c.Status), Cases: c.Cases, Overdue: c.Overdue})
	}
	return httpapi.OK(out), nil
}

type caseStepDTO struct {
	Seq       int64            `json:"seq"`
	Move      string           `json:"move"`
	From      string           `json:"from"`
	To        string           `json:"to"`
	ActorKind string           `json:"actor_kind" enum:"resident,staff,system"`
	ActorID   string           `json:"actor_id"`
	ActorName string           `json:"actor_name"`
	Reason    string           `json:"reason" doc:"内部说明，居民看不到"`
	Note      string           `json:"note" doc:"居民能看到"`
	Pictures  []casePictureDTO `json:"pictures"`
	At        time.Time        `json:"at"`
}

type caseDTO struct {
	CaseSummary
	Lon        *float64      `json:"lon" doc:"30 天后删除"`
	Lat        *float64      `json:"lat"`
	ReporterID string        `json:"reporter_id"`
	Reporter   string        `json:"reporter" doc:"昵称"`
	Reopens    int64         `json:"reopens"`
	Points     string        `json:"points" enum:"none,pending,posted,capped,budget_exhausted,no_rule"`
	Steps      []caseStepDTO `json:"steps"`
	NextMoves  []string      `json:"next_moves" doc:"您现在可以做的操作"`
}

func (s *server) getCase(ctx context.Context, in *CasePath) (*httpapi.Body[caseDTO], error) {
	d, err := s.Casework.Case(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := caseDTO{
		CaseSummary: caseSummaryOf(d.Summary), Lon: d.Lon, Lat: d.Lat, ReporterID: d.ReporterID, Reporter: d.Reporter,
		Reopens: d.Reopens, Points: string(d.Points.Status), Steps: []caseStepDTO{}, NextMoves: []string{},
	}
	for _, st := range d.Steps {
		step := caseStepDTO{
			Seq: st.Seq, Move: string(st.Move), From: string(st.From), To: string(st.To), ActorKind: string(st.ActorKind),
			ActorID: st.ActorID, ActorName: st.ActorName, Reason: st.Reason, Note: st.Note, Pictures: []casePictureDTO{}, At: st.At.Time(),
		}
		for _, p := range st.Pictures {
			step.Pictures = append(step.Pictures, casePictureOf(p))
		}
		out.Steps = append(out.Steps, step)
	}
	for _, m := range d.NextMoves {
		out.NextMoves = append(out.NextMoves, string(m))
	}
	return httpapi.OK(out), nil
}

// CaseMove goes with every move.
type CaseMove struct {
	Version int64  `json:"version" minimum:"1" doc:"看到的版本；已被他人处理则返回 409"`
	Reason  string `json:"reason,omitempty" maxLength:"500" doc:"内部说明，居民看不到"`
	Note    string `json:"note,omitempty" maxLength:"500" doc:"告诉居民的话"`
}

func (m CaseMove) input() casework.MoveInput {
	return casework.MoveInput{Version: m.Version, Reason: m.Reason, Note: m.Note}
}

type caseMovedDTO struct {
	ID      string    `json:"id"`
	Move    string    `json:"move"`
	Status  string    `json:"status"`
	Version int64     `json:"version"`
	At      time.Time `json:"at"`
}

type caseMovedBody = httpapi.Body[caseMovedDTO]

func caseMoved(m casework.Moved, err error) (*caseMovedBody, error) {
	if err != nil {
		return nil, err
	}
	return httpapi.OK(caseMovedDTO{ID: m.CaseID, Move: string(m.Move), Status: string(m.Status), Version: m.Version, At: m.At.Time()}), nil
}

type moveCaseInput struct {
	CasePath
	Body CaseMove
}

func (s *server) acceptCase(ctx context.Context, in *moveCaseInput) (*caseMovedBody, error) {
	return caseMoved(s.Casework.Accept(ctx, authz.FromContext(ctx), in.ID, in.Body.input()))
}

func (s *server) rejectCase(ctx context.Context, in *moveCaseInput) (*caseMovedBody, error) {
	return caseMoved(s.Casework.Reject(ctx, authz.FromContext(ctx), in.ID, in.Body.input()))
}

func (s *server) startCase(ctx context.Context, in *moveCaseInput) (*caseMovedBody, error) {
	return caseMoved(s.Casework.StartHandling(ctx, authz.FromContext(ctx), in.ID, in.Body.input()))
}

type dispatchCaseInput struct {
	CasePath
	Body struct {
		CaseMove
		StaffID string `json:"staff_id" minLength:"26" maxLength:"26" doc:"网格员或承办单位人员"`
	}
}

func (s *server) dispatchCase(ctx context.Context, in *dispatchCaseInput) (*caseMovedBody, error) {
	return caseMoved(s.Casework.Dispatch(ctx, authz.FromContext(ctx), in.ID, in.Body.StaffID, in.Body.input()))
}

type finishCaseInput struct {
	CasePath
	Body struct {
		CaseMove
		AttachmentIDs []string `json:"attachment_ids,omitempty" maxItems:"9" doc:"办理照片"`
	}
}

func (s *server) finishCase(ctx context.Context, in *finishCaseInput) (*caseMovedBody, error) {
	return caseMoved(s.Casework.Finish(ctx, authz.FromContext(ctx), in.ID, in.Body.AttachmentIDs, in.Body.input()))
}

type closeCaseInput struct {
	CasePath
	httpapi.Idempotent
	Body CaseMove
}

func (s *server) closeCase(ctx context.Context, in *closeCaseInput) (*caseMovedBody, error) {
	input := in.Body.input()
	input.IdempotencyKey = in.IdempotencyKey
	return caseMoved(s.Casework.Close(ctx, authz.FromContext(ctx), in.ID, input))
}

type decideContentInput struct {
	CasePath
	Body struct {
		CaseMove
		Pass bool `json:"pass"`
	}
}

func (s *server) decideContent(ctx context.Context, in *decideContentInput) (*caseMovedBody, error) {
	return caseMoved(s.Casework.DecideContent(ctx, authz.FromContext(ctx), in.ID, in.Body.Pass, in.Body.input()))
}
