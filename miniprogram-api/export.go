package miniprogram

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/httpapi"
)

type exportDTO struct {
	Profile  profileDTO           `json:"profile"`
	OpenID   string               `json:"wechat_openid" doc:"您的微信账号在这里的编号"`
	UnionID  string               `json:"wechat_unionid" doc:"微信给出时才有"`
	Guardian *time.Time           `json:"guardian_consented_at" doc:"监护人同意的时间；没有为 null"`
	Phone    string               `json:"phone"`
	RealName string               `json:"real_name"`
	IDNumber string               `json:"id_number"`
	Consents []consentDecisionDTO `json:"consents" doc:"每一次同意与撤回"`
	Sessions []sessionDTO         `json:"sessions"`
	Accesses []accessDTO          `json:"accesses" doc:"工作人员何时为何查过您的信息"`
	Parts    []exportPartDTO      `json:"parts" doc:"文件里还有什么"`
}

type exportPartDTO struct {
	Name  string `json:"name" doc:"在文件中的名称"`
	Title string `json:"title"`
	Rows  int64  `json:"rows" doc:"几条"`
}

type consentDecisionDTO struct {
	Purpose   string    `json:"purpose"`
	Status    string    `json:"status"`
	Version   string    `json:"version"`
	DecidedAt time.Time `json:"decided_at"`
}

type sessionDTO struct {
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt time.Time  `json:"last_used_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
}

type accessDTO struct {
	Field  string    `json:"field"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

func (s *server) exportProfile(ctx context.Context, _ *struct{}) (*httpapi.Body[exportDTO], error) {
	out, err := s.exportOf(ctx)
	if err != nil {
		return nil, err
	}
	return httpapi.OK(out), nil
}

func (s *server) exportOf(ctx context.Context) (exportDTO, error) {
	actor := authz.FromContext(ctx)
	e, err := s.Identity.ExportData(ctx, actor)
	if err != nil {
		return exportDTO{}, err
	}
	parts, err := s.Identity.ExportSummaries(ctx, actor)
	if err != nil {
		return exportDTO{}, err
	}
	out := exportDTO{
		Profile: profileOf(e.Profile), OpenID: e.OpenID, UnionID: e.UnionID, Guardian: clock.TimePtr(e.GuardianConsentedAt), Phone: e.Phone, RealName: e.RealName, IDNumber: e.IDNumber,
		Consents: []consentDecisionDTO{}, Sessions: []sessionDTO{}, Accesses: []accessDTO{}, Parts: []exportPartDTO{},
	}
	for _, c := range e.Consents {
		out.Consents = append(out.Consents, consentDecisionDTO{string(c.Purpose), string(c.Status), c.Version, c.DecidedAt.Time()})
	}
	for _, session := range e.Sessions {
		out.Sessions = append(out.Sessions, sessionDTO{session.CreatedAt.Time(), session.LastUsedAt.Time(), clock.TimePtr(session.RevokedAt)})
	}
	for _, a := range e.Accesses {
		out.Accesses = append(out.Accesses, accessDTO{string(a.Field), a.Reason, a.CreatedAt.Time()})
	}
	for _, p := range parts {
		out.Parts = append(out.Parts, exportPartDTO{p.Table, p.Title, p.Rows})
	}
	return out, nil
}

// exportProfileFile streams one JSON object: what exportProfile shows, then a
// member for each part. A file that broke off lacks its last member and brace.
func (s *server) exportProfileFile(ctx context.Context, _ *struct{}) (*huma.StreamResponse, error) {
	head, err := s.exportOf(ctx)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(head)
	if err != nil {
		return nil, fmt.Errorf("miniprogram: export: %w", err)
	}
	return httpapi.Download("application/json", "my-data.json", func(body io.Writer) {
		w := bufio.NewWriter(body)
		_, err := w.Write(bytes.TrimSuffix(text, []byte("}")))
		if err == nil {
			err = s.Identity.WriteExport(ctx, authz.FromContext(ctx), w)
		}
		if err == nil {
			_, err = w.WriteString(",\n\"complete\": true}\n")
		}
		if err = errors.Join(err, w.Flush()); err != nil {
			_ = httpapi.ProblemOf(ctx, err) // logs; the head of the answer is out
		}
	}), nil
}
