package miniprogram

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
	"jiamenkou/service/casework"
)

type pictureDTO struct {
	ID     string `json:"id"`
	Status string `json:"status" enum:"pending,passed,rejected" doc:"pending 审核中，仅自己和工作人员可见"`
	URL    string `json:"url" doc:"短时有效的地址（不含域名），可直接用于 image；空表示没有通过审核"`
	Width  int64  `json:"width"`
	Height int64  `json:"height"`
}

func pictureOf(p casework.Picture) pictureDTO {
	return pictureDTO{ID: p.ID, Status: string(p.Status), URL: p.URL, Width: p.Width, Height: p.Height}
}

func (s *server) uploadPicture(ctx context.Context, file []byte) (pictureDTO, error) {
	p, err := s.Casework.Upload(ctx, authz.FromContext(ctx), file)
	if err != nil {
		return pictureDTO{}, err
	}
	return pictureOf(p), nil
}

// pictureFile streams a picture so that a browser takes it for nothing else.
type pictureFile struct {
	ContentType  string `header:"Content-Type"`
	NoSniff      string `header:"X-Content-Type-Options"`
	CacheControl string `header:"Cache-Control"`
	Disposition  string `header:"Content-Disposition"`
	Policy       string `header:"Content-Security-Policy"`
	ETag         string `header:"ETag"` //nolint:tagliatelle // the standard spells it so
	Body         []byte
}

func pictureFileOf(f casework.File) *pictureFile {
	return &pictureFile{
		ContentType: f.ContentType, NoSniff: "nosniff", CacheControl: "private, max-age=900", Disposition: "inline",
		Policy: "default-src 'none'; sandbox", ETag: `"` + f.SHA256 + `"`, Body: f.Data,
	}
}

type pictureLinkInput struct {
	Key string `path:"key" minLength:"32" maxLength:"32"`
	Exp string `query:"exp" required:"true" maxLength:"20"`
	Sig string `query:"sig" required:"true" maxLength:"64"`
}

func (s *server) openPictureLink(ctx context.Context, in *pictureLinkInput) (*pictureFile, error) {
	f, err := s.Casework.OpenLink(ctx, in.Key, in.Exp, in.Sig)
	if err != nil {
		return nil, err
	}
	return pictureFileOf(f), nil
}

// CasePath names a case or picture in the path. Like what else is embedded here it is
// exported, since reflection cannot fill an embedded struct that is not.
type CasePath struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

func (s *server) openPicture(ctx context.Context, in *CasePath) (*pictureFile, error) {
	f, err := s.Casework.OpenPicture(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return pictureFileOf(f), nil
}

type reportInput struct {
	httpapi.Idempotent
	Body struct {
		Category      string   `json:"category" enum:"sanitation,facility,safety,order,care,dispute,other"`
		Text          string   `json:"text" minLength:"5" maxLength:"1000"`
		AttachmentIDs []string `json:"attachment_ids,omitempty" maxItems:"9" doc:"先上传图片，再填返回的 id"`
		RegionID      string   `json:"region_id,omitempty" maxLength:"26" doc:"村社或更小的区域；不填则按定位，再按居住地"`
		InSystem
		Lon     *float64 `json:"lon,omitempty" minimum:"-180" maximum:"180"`
		Lat     *float64 `json:"lat,omitempty" minimum:"-90" maximum:"90"`
		Address string   `json:"address,omitempty" maxLength:"100"`
	}
}

type reportedDTO struct {
	ID        string    `json:"id"`
	Number    string    `json:"number" example:"20260131-0001"`
	RegionID  string    `json:"region_id"`
	CreatedAt time.Time `json:"created_at"`
}

func (s *server) reportCase(ctx context.Context, in *reportInput) (*httpapi.Body[reportedDTO], error) {
	b := in.Body
	if b.Lon != nil && b.Lat != nil {
		*b.Lon, *b.Lat = b.convert(*b.Lon, *b.Lat)
	}
	r, err := s.Casework.Report(ctx, authz.FromContext(ctx), casework.ReportInput{
		Category: casework.Category(b.Category), Text: b.Text, AttachmentIDs: b.AttachmentIDs, RegionID: b.RegionID,
		Lon: b.Lon, Lat: b.Lat, Address: b.Address, IdempotencyKey: in.IdempotencyKey,
	})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(reportedDTO{ID: r.ID, Number: r.Number, RegionID: r.RegionID, CreatedAt: r.CreatedAt.Time()}), nil
}

type casePointsDTO struct {
	Status string `json:"status" enum:"none,pending,posted,capped,budget_exhausted,no_rule" doc:"pending：核实后到账"`
	Points int64  `json:"points" doc:"已到账的积分"`
}

// CaseSummary is one case in a list.
type CaseSummary struct {
	ID            string        `json:"id"`
	Number        string        `json:"number"`
	Kind          string        `json:"kind" enum:"report,dispute"`
	Category      string        `json:"category"`
	Title         string        `json:"title"`
	Text          string        `json:"text"`
	RegionID      string        `json:"region_id"`
	RegionName    string        `json:"region_name"`
	Address       string        `json:"address"`
	ContentStatus string        `json:"content_status" enum:"pending,passed,rejected"`
	Status        string        `json:"status" enum:"submitted,accepted,dispatched,handling,handled,reopened,confirmed,closed,rejected,withdrawn"`
	ConfirmBy     *time.Time    `json:"confirm_by" doc:"到期未答复将自动确认"`
	Rating        int64         `json:"rating" doc:"0 表示没有评分"`
	Points        casePointsDTO `json:"points"`
	Cover         *pictureDTO   `json:"cover"`
	CreatedAt     time.Time     `json:"created_at"`
	UpdatedAt     time.Time     `json:"updated_at"`
}

func caseSummaryOf(c casework.Summary) CaseSummary {
	out := CaseSummary{
		ID: c.ID, Number: c.Number, Kind: string(c.Kind), Category: string(c.Category), Title: c.Title, Text: c.Text,
		RegionID: c.RegionID, RegionName: c.RegionName, Address: c.Address, ContentStatus: string(c.ContentStatus),
		Status: string(c.Status), ConfirmBy: clock.TimePtr(c.ConfirmBy), Rating: c.Rating,
		Points:    casePointsDTO{Status: string(c.Points.Status), Points: c.Points.Points},
		CreatedAt: c.CreatedAt.Time(), UpdatedAt: c.UpdatedAt.Time(),
	}
	if c.Cover != nil {
		cover := pictureOf(*c.Cover)
		out.Cover = &cover
	}
	return out
}

type listCasesInput struct {
	httpapi.PageQuery
	Status []string `query:"status,explode" maxItems:"10" doc:"只看这些状态，可重复"`
}

func (s *server) listCases(ctx context.Context, in *listCasesInput) (*httpapi.Body[httpapi.PageBody[CaseSummary]], error) {
	statuses := make([]casework.Status, 0, len(in.Status))
	for _, status := range in.Status {
		statuses = append(statuses, casework.Status(status))
	}
	page, err := s.Casework.MyCases(ctx, authz.FromContext(ctx), statuses, paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(httpapi.PageOf(page, caseSummaryOf)), nil
}

type caseStepDTO struct {
	Move     string       `json:"move"`
	Status   string       `json:"status" doc:"这一步之后的状态"`
	By       string       `json:"by" enum:"resident,staff,system"`
	Note     string       `json:"note"`
	Pictures []pictureDTO `json:"pictures"`
	At       time.Time    `json:"at"`
}

type caseDTO struct {
	CaseSummary
	Steps     []caseStepDTO `json:"steps" doc:"进度，从早到晚"`
	NextMoves []string      `json:"next_moves" doc:"现在可以做什么：confirm、reopen、withdraw"`
}

func (s *server) getCase(ctx context.Context, in *CasePath) (*httpapi.Body[caseDTO], error) {
	d, err := s.Casework.Case(ctx, authz.FromContext(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	out := caseDTO{CaseSummary: caseSummaryOf(d.Summary), Steps: []caseStepDTO{}, NextMoves: []string{}}
	for _, st := range d.Steps {
		step := caseStepDTO{
			Move: string(st.Move), Status: string(st.To), By: string(st.ActorKind), Note: st.Note, Pictures: []pictureDTO{}, At: st.At.Time(),
		}
		for _, p := range st.Pictures {
			step.Pictures = append(step.Pictures, pictureOf(p))
		}
		out.Steps = append(out.Steps, step)
	}
	for _, m := range d.NextMoves {
		out.NextMoves = append(out.NextMoves, string(m))
	}
	return httpapi.OK(out), nil
}

type caseMovedDTO struct {
	ID     string        `json:"id"`
	Move   string        `json:"move"`
	Status string        `json:"status"`
	At     time.Time     `json:"at"`
	Points casePointsDTO `json:"points"`
}

func caseMovedOf(m casework.Moved) caseMovedDTO {
	return caseMovedDTO{
		ID: m.CaseID, Move: string(m.Move), Status: string(m.Status), At: m.At.Time(),
		Points: casePointsDTO{Status: string(m.Points.Status), Points: m.Points.Points},
	}
}

type confirmCaseInput struct {
	CasePath
	httpapi.Idempotent
	Body struct {
		Solved bool   `json:"solved" doc:"false：没有解决，退回重办"`
		Rating int64  `json:"rating,omitempty" minimum:"0" maximum:"5" doc:"1 到 5 分；0 或不填表示不评"`
		Note   string `json:"note,omitempty" maxLength:"500" doc:"没有解决时必填"`
	}
}

func (s *server) confirmCase(ctx context.Context, in *confirmCaseInput) (*httpapi.Body[caseMovedDTO], error) {
	m, err := s.Casework.Confirm(ctx, authz.FromContext(ctx), in.ID, casework.ConfirmInput{
		Solved: in.Body.Solved, Rating: in.Body.Rating, Note: in.Body.Note, IdempotencyKey: in.IdempotencyKey,
	})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(caseMovedOf(m)), nil
}

type withdrawCaseInput struct {
	CasePath
	Body struct {
		Note string `json:"note,omitempty" maxLength:"500"`
	}
}

func (s *server) withdrawCase(ctx context.Context, in *withdrawCaseInput) (*httpapi.Body[caseMovedDTO], error) {
	m, err := s.Casework.Withdraw(ctx, authz.FromContext(ctx), in.ID, in.Body.Note)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(caseMovedOf(m)), nil
}
