package reading

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// Offer is a published article as a resident sees it.
type Offer struct {
	model.Article
	RegionName string
	Read       bool  // this resident has read it
	Points     int64 // that reading it now would earn, as far as rule and caps tell; 0 once read
	// Quiz is filled in for one article, not in lists.
	Quiz ReaderQuiz `gorm:"-"`
}

// OfferFilter narrows a resident's list.
type OfferFilter struct {
	Text   string // contained in title or summary, at most 40 characters
	Unread bool   // only what this resident has not read
}

// Offers lists the articles that are offered where the resident lives, without
// their bodies, newest publication first: none until a home region is chosen.
func (s *Service) Offers(ctx context.Context, actor authz.Actor, filter OfferFilter, page paging.Request) (paging.Page[Offer], error) {
	none := paging.Page[Offer]{}
	if err := actor.Resident(); err != nil {
		return none, err
	}
	key, err := page.Key(2)
	if err != nil {
		return none, err
	}
	if err := checkQuery(filter.Text); err != nil {
		return none, err
	}
	regions := model.RegionPathIDs(actor.RegionPath)
	if len(regions) == 0 {
		return none, nil
	}
	q, err := offersQuery(actor.ID, regions, filter, key, page.Size()+1)
	if err != nil {
		return none, err
	}
	var rows []Offer
	if err := s.db.Read(ctx).Raw(q.text, q.args...).Scan(&rows).Error; err != nil {
		return none, fmt.Errorf("reading: list offers: %w", err)
	}
	if err := s.describe(ctx, actor, rows); err != nil {
		return none, err
	}
	return paging.Of(rows, page, func(o Offer) []string {
		return []string{strconv.FormatInt(int64(*o.PublishedAt), 10), o.ID}
	}), nil
}

type query struct {
	text string
	args []any
}

// offersQuery takes the first rows of each region on the way from the county
// to the home, straight off the index, and merges them: the cost does not
// grow with the number of articles, as a sort over all of them would.
func offersQuery(residentID string, regions []string, filter OfferFilter, key []string, limit int) (query, error) {
	where := ""
	var whereArgs []any
	if key != nil {
		at, err := cursorNumber(key[0])
		if err != nil {
			return query{}, err
		}
		where, whereArgs = " AND a.published_at <= ? AND (a.published_at < ? OR a.id < ?)", []any{at, at, key[1]}
	}
	text, textArgs := textFilter(filter.Text)
	where, whereArgs = where+text, append(whereArgs, textArgs...)
	if filter.Unread {
		where += ` AND NOT EXISTS (SELECT 1 FROM reading_session c WHERE c.resident_id = ? AND c.completed_article_id = a.id)`
		whereArgs = append(whereArgs, residentID)
	}
	q := query{}
	branches := make([]string, len(regions))
	for i, region := range regions {
		branches[i] = fmt.Sprintf(`SELECT * FROM (SELECT a.id, a.region_id, a.title, a.summary, a.cover_key, a.audio_key, a.question_count, a.source, a.min_seconds,
			a.status, a.published_at FROM article a WHERE a.region_id = ? AND a.status = ?%s
			ORDER BY a.published_at DESC, a.id DESC LIMIT ?) b%d`, where, i)
		q.args = append(q.args, region, model.ArticlePublished)
		q.args = append(append(q.args, whereArgs...), limit)
	}
	q.text = strings.Join(branches, " UNION ALL ") + " ORDER BY published_at DESC, id DESC LIMIT ?"
	q.args = append(q.args, limit)
	return q, nil
}

// Offer returns one published article, body included: ErrArticleNotFound if it
// is not offered where the resident lives.
func (s *Service) Offer(ctx context.Context, actor authz.Actor, articleID string) (Offer, error) {
	a, err := s.offered(ctx, actor, articleID)
	if err != nil {
		return Offer{}, err
	}
	rows := []Offer{{Article: a}}
	if err := s.describe(ctx, actor, rows); err != nil {
		return Offer{}, err
	}
	rows[0].Quiz, err = s.quizFor(ctx, actor.ID, a)
	return rows[0], err
}

// offered returns an article that the resident may open.
func (s *Service) offered(ctx context.Context, actor authz.Actor, articleID string) (model.Article, error) {
	if err := actor.Resident(); err != nil {
		return model.Article{}, err
	}
	regions := model.RegionPathIDs(actor.RegionPath)
	if len(regions) == 0 {
		return model.Article{}, ErrArticleNotFound
	}
	var rows []model.Article
	err := s.db.Read(ctx).Where("id = ? AND status = ? AND region_id IN ?", articleID, model.ArticlePublished, regions).Find(&rows).Error
	if err != nil {
		return model.Article{}, fmt.Errorf("reading: offered article: %w", err)
	}
	if len(rows) == 0 {
		return model.Article{}, ErrArticleNotFound
	}
	return rows[0], nil
}

// describe fills in what depends on the reader, and the regions' names, in a
// constant number of statements.
func (s *Service) describe(ctx context.Context, actor authz.Actor, offers []Offer) error {
	if len(offers) == 0 {
		return nil
	}
	ids, regions := make([]string, len(offers)), make([]string, len(offers))
	for i, o := range offers {
		ids[i], regions[i] = o.ID, o.RegionID
	}
	names, err := s.regionNames(ctx, regions)
	if err != nil {
		return err
	}
	var done []string
	err = s.db.Read(ctx).Raw(`SELECT completed_article_id FROM reading_session WHERE resident_id = ? AND completed_article_id IN ?`,
		actor.ID, ids).Scan(&done).Error
	if err != nil {
		return fmt.Errorf("reading: read marks: %w", err)
	}
	read := make(map[string]bool, len(done))
	for _, id := range done {
		read[id] = true
	}
	rule, err := s.payingRule(ctx, actor.ID, model.EventArticleRead)
	if err != nil {
		return err
	}
	for i := range offers {
		o := &offers[i]
		o.RegionName, o.Read = names[o.RegionID], read[o.ID]
		if rule != nil && !o.Read {
			o.Points = pointsUnder(rule, minutesOf(o.MinSeconds))
		}
	}
	return nil
}

// payingRule returns the rule under which the resident would earn by an event
// now, nil if there is none or today's cap is reached.
func (s *Service) payingRule(ctx context.Context, residentID string, kind model.EventKind) (*model.PolicyRule, error) {
	earnings, err := s.policy.Earnings(ctx, residentID)
	if err != nil {
		return nil, err
	}
	for _, e := range earnings.Items {
		if e.Rule.EventKind == kind && e.PaidToday < e.Rule.DailyCap {
			return &e.Rule, nil
		}
	}
	return nil, nil //nolint:nilnil // no rule is an answer
}

// minutesOf are the minutes that an article counts for, under rules that pay
// by time: those that it asks for, so that a page left open earns no more.
func minutesOf(minSeconds int64) int64 { return minSeconds / 60 }

// pointsUnder foretells what service/policy will award.
func pointsUnder(r *model.PolicyRule, minutes int64) int64 {
	points := r.Points
	if r.PerMinutes > 0 {
		points = r.Points * (minutes / r.PerMinutes)
	}
	return min(points, r.MaxPoints)
}
