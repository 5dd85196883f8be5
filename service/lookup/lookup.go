// Package lookup answers questions of staff that lie across the domains: what
// is behind these few characters, who is this resident. Each answer is put
// together from the services' own methods, which keep to what the actor may
// see; nothing here reads a table.
package lookup

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/fault"
	"jiamenkou/service/casework"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
	"jiamenkou/service/market"
	"jiamenkou/service/policy"
	"jiamenkou/service/reading"
	"jiamenkou/service/region"
	"jiamenkou/service/volunteer"
)

// Service looks things up. Safe for concurrent use.
type Service struct{ Parts }

// Parts are the services that are asked.
type Parts struct {
	Identity  *identity.Service
	Ledger    *ledger.Service
	Volunteer *volunteer.Service
	Casework  *casework.Service
	Market    *market.Service
	Reading   *reading.Service
	Policy    *policy.Service
	Region    *region.Service
}

// New makes the service.
func New(parts Parts) *Service { return &Service{parts} }

// ResidentCard is a resident, masked, with what the domains know.
type ResidentCard struct {
	identity.ResidentRecord
	Wallet  ledger.Wallet
	Orders  market.OrderCounts
	Reports int64 // cases reported
	Service volunteer.ServiceTotal
}

// Resident returns the card of a resident of the actor's regions. For operators
// and auditors. Errors: identity.ErrResidentUnknown.
func (s *Service) Resident(ctx context.Context, actor authz.Actor, id string) (card ResidentCard, err error) {
	if card.ResidentRecord, err = s.Identity.StaffResident(ctx, actor, id); err != nil {
		return card, err
	}
	if card.Wallet, err = s.Ledger.Wallet(ctx, id); err != nil {
		return card, err
	}
	if card.Orders, err = s.Market.CountOrders(ctx, id); err != nil {
		return card, err
	}
	if card.Reports, err = s.Casework.CountReports(ctx, id); err != nil {
		return card, err
	}
	card.Service, err = s.Volunteer.TotalOf(ctx, id)
	return card, err
}

// Kind of what a search found.
type Kind string

// The kinds.
const (
	Resident Kind = "resident"
	Order    Kind = "order"
	Case     Kind = "case"
	Merchant Kind = "merchant"
	Activity Kind = "activity"
	Benefit  Kind = "benefit"
)

// Hit is one thing that a search found.
type Hit struct {
	Kind     Kind
	ID       string
	Title    string
	Subtitle string
}

// Bounds of a search.
const (
	minQuery     = 2 // characters: one finds too much
	maxQuery     = 64
	defaultLimit = 5
	maxLimit     = 20
	searchReason = "全局搜索" // of a phone number, in the log that the resident can read
	codeInvalid  = "lookup.invalid"
)

var (
	orderID    = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{26}$`)
	caseNumber = regexp.MustCompile(`^[0-9]{4,8}(-[0-9]*)?$`)
)

// Search finds by a whole phone number (operators only, and recorded), the
// whole id of an order, the beginning of a case's number, or the beginning of
// the name of a merchant, an activity or a benefit: at most limit of each
// kind (1..20, 0 means 5), and nothing that the actor could not open. Every
// question is answered from an index.
func (s *Service) Search(ctx context.Context, actor authz.Actor, query string, limit int) ([]Hit, error) {
	query = strings.TrimSpace(query)
	var f fault.Fields
	n := utf8.RuneCountInString(query)
	f.Add(n >= minQuery && n <= maxQuery && utf8.ValidString(query), "q", "请输入 2 到 64 个字")
	f.Add(limit >= 0 && limit <= maxLimit, "limit", "应为 1 到 20")
	if err := f.Err(codeInvalid); err != nil {
		return nil, err
	}
	if limit == 0 {
		limit = defaultLimit
	}
	finders := []func(context.Context, authz.Actor, string, int) ([]Hit, error){s.merchants, s.activities, s.benefits}
	switch {
	case identity.ValidPhone(query):
		finders = finders[:0]
		if actor.Has(authz.RoleOperator) {
			finders = append(finders, s.byPhone)
		}
	case caseNumber.MatchString(query):
		finders = append([]func(context.Context, authz.Actor, string, int) ([]Hit, error){s.cases}, finders...)
	case orderID.MatchString(strings.ToUpper(query)):
		finders = append(finders[:0], s.order)
	}
	hits := []Hit{}
	for _, find := range finders {
		found, err := find(ctx, actor, query, limit)
		if err != nil {
			return nil, err
		}
		hits = append(hits, found...)
	}
	return hits, nil
}

func (s *Service) byPhone(ctx context.Context, actor authz.Actor, phone string, _ int) ([]Hit, error) {
	r, err := s.Identity.FindResidentByPhone(ctx, actor, phone, searchReason)
	if errors.Is(err, identity.ErrResidentUnknown) {
		return nil, nil
	}
	return []Hit{{Resident, r.ID, r.MaskedName, r.VolunteerNumber}}, err
}

func (s *Service) order(ctx context.Context, actor authz.Actor, id string, _ int) ([]Hit, error) {
	o, err := s.Market.StaffOrder(ctx, actor, strings.ToUpper(id))
	if errors.Is(err, market.ErrOrderMissing) {
		return nil, nil
	}
	return []Hit{{Order, o.ID, o.BenefitTitle, o.MerchantName}}, err
}

func (s *Service) cases(ctx context.Context, actor authz.Actor, number string, limit int) ([]Hit, error) {
	rows, err := s.Casework.CasesNumbered(ctx, actor, number, limit)
	return hits(rows, func(c casework.Numbered) Hit {
		return Hit{Case, c.ID, strings.TrimSpace(c.Number + " " + c.Title), c.RegionName}
	}), err
}

func (s *Service) merchants(ctx context.Context, actor authz.Actor, name string, limit int) ([]Hit, error) {
	rows, err := s.Market.MerchantsNamed(ctx, actor, name, limit)
	return hits(rows, func(m market.Named) Hit { return Hit{Merchant, m.ID, m.Name, m.Place} }), err
}

func (s *Service) benefits(ctx context.Context, actor authz.Actor, title string, limit int) ([]Hit, error) {
	rows, err := s.Market.BenefitsTitled(ctx, actor, title, limit)
	return hits(rows, func(b market.Named) Hit { return Hit{Benefit, b.ID, b.Name, b.Place} }), err
}

func (s *Service) activities(ctx context.Context, actor authz.Actor, title string, limit int) ([]Hit, error) {
	rows, err := s.Volunteer.ActivitiesTitled(ctx, actor, title, limit)
	return hits(rows, func(a volunteer.Titled) Hit { return Hit{Activity, a.ID, a.Title, a.RegionName} }), err
}

func hits[T any](rows []T, hit func(T) Hit) []Hit {
	out := make([]Hit, len(rows))
	for i, row := range rows {
		out[i] = hit(row)
	}
	return out
}
