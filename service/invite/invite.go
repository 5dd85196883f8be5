// Package invite makes the mini-program codes that hang on walls and stand on
// posters: whoever scans one comes straight to an activity or a benefit.
package invite

import (
	"context"
	"regexp"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/market"
	"jiamenkou/service/volunteer"
)

// Kind is what a code leads to.
type Kind string

// The kinds.
const (
	Activity Kind = "activity"
	Benefit  Kind = "benefit"
)

// Target is what a scene stands for.
type Target struct {
	Kind Kind
	ID   string
}

// letters begin a scene: WeChat gives it 32 characters, of which the id takes
// 26.
var letters = map[Kind]string{Activity: "a", Benefit: "b"}

var scenePattern = regexp.MustCompile(`^([ab])-([0-9A-HJKMNP-TV-Z]{26})$`)

// Scene returns the text that a code carries.
func (t Target) Scene() string { return letters[t.Kind] + "-" + t.ID }

// Errors of codes.
var (
	ErrScene = fault.New(fault.NotFound, "invite.unknown_scene", "没有认出这个小程序码，请从首页进入")
	// ErrNotShown keeps a poster from leading nowhere.
	ErrNotShown = fault.New(fault.Conflict, "invite.not_published", "发布之后才能生成小程序码")
)

// Resolve reads a scene. Whether the target is there, and for this resident,
// is said by its own page. ErrScene.
func Resolve(scene string) (Target, error) {
	m := scenePattern.FindStringSubmatch(scene)
	if m == nil {
		return Target{}, ErrScene
	}
	for kind, letter := range letters {
		if letter == m[1] {
			return Target{Kind: kind, ID: m[2]}, nil
		}
	}
	return Target{}, ErrScene
}

// Drawer draws the code of a scene: internal/wechat.
type Drawer interface {
	QRCode(ctx context.Context, scene, page string) ([]byte, error)
}

// Service makes codes. Safe for concurrent use.
type Service struct {
	activities *volunteer.Service
	benefits   *market.Service
	drawer     Drawer
	page       string
}

// New returns the service; page is the mini-program's page that codes open,
// "" for its home page.
func New(v *volunteer.Service, m *market.Service, d Drawer, page string) *Service {
	return &Service{activities: v, benefits: m, drawer: d, page: page}
}

// ActivityCode returns the JPEG of the code of a published activity that the
// actor can see on the staff surface. Errors: as volunteer's StaffActivity,
// ErrNotShown, those of WeChat.
func (s *Service) ActivityCode(ctx context.Context, actor authz.Actor, id string) ([]byte, error) {
	a, err := s.activities.StaffActivity(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if a.Status != model.ActivityPublished {
		return nil, ErrNotShown
	}
	return s.drawer.QRCode(ctx, Target{Kind: Activity, ID: a.ID}.Scene(), s.page)
}

// BenefitCode returns the JPEG of the code of a published benefit that the
// actor can see on the staff surface. Errors: as market's BenefitRecord,
// ErrNotShown, those of WeChat.
func (s *Service) BenefitCode(ctx context.Context, actor authz.Actor, id string) ([]byte, error) {
	b, err := s.benefits.BenefitRecord(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if b.Status != model.BenefitPublished {
		return nil, ErrNotShown
	}
	return s.drawer.QRCode(ctx, Target{Kind: Benefit, ID: b.ID}.Scene(), s.page)
}
