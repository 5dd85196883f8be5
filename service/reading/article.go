package reading

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/identity"
	"jiamenkou/service/media"
	"jiamenkou/service/region"
)

// moves is the table of allowed moves: which states an article may be in
// before, and the state after ("" keeps it).
var moves = map[model.ArticleMove]struct {
	from []model.ArticleStatus
	to   model.ArticleStatus
}{
	model.ArticleUpdate:   {from: []model.ArticleStatus{model.ArticleDraft, model.ArticlePublished, model.ArticleWithdrawn}},
	model.ArticlePublish:  {from: []model.ArticleStatus{model.ArticleDraft, model.ArticleWithdrawn}, to: model.ArticlePublished},
	model.ArticleWithdraw: {from: []model.ArticleStatus{model.ArticleDraft, model.ArticlePublished}, to: model.ArticleWithdrawn},
}

// ArticleInput is what an operator writes.
type ArticleInput struct {
	Title      string // 1..80 characters
	Summary    string // at most 200
	Body       string // 1..20000: plain text or simple Markdown; HTML is refused
	CoverKey   string // of a picture in service/media; "" for none
	AudioKey   string // of a recording in service/media; "" for none
	Source     string // at most 100
	MinSeconds int64  // 5..1800
}

func (in ArticleInput) apply(a *model.Article) error {
	a.Title, a.Summary, a.Body, a.Source, a.MinSeconds = in.Title, in.Summary, in.Body, in.Source, in.MinSeconds
	a.CoverKey, a.AudioKey = nil, nil
	if in.CoverKey != "" {
		a.CoverKey = &in.CoverKey
	}
	if in.AudioKey != "" {
		a.AudioKey = &in.AudioKey
	}
	a.Clean()
	return a.Validate()
}

// StaffArticle is an article as staff see it.
type StaffArticle struct {
	model.Article
	RegionName string
	RegionPath string
	Reads      int64 // residents who have read it
}

// Create writes a draft, to be offered to the residents of a region over which
// the actor is an operator. auth.forbidden elsewhere, reading.invalid.
func (s *Service) Create(ctx context.Context, actor authz.Actor, regionID string, in ArticleInput) (StaffArticle, error) {
	var home model.Region
	err := s.db.Read(ctx).Select("id", "name", "path").Where("id = ?", regionID).Take(&home).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return StaffArticle{}, authz.ErrForbidden // whether it exists is not this caller's to know
	}
	if err != nil {
		return StaffArticle{}, fmt.Errorf("reading: region: %w", err)
	}
	if err := actor.InRegion(home.Path, writers...); err != nil {
		return StaffArticle{}, err
	}
	now := s.now()
	row := model.Article{
		ID: s.clock.NewID(), RegionID: home.ID, Status: model.ArticleDraft, Version: 1,
		CreatedBy: actor.ID, CreatedAt: now, UpdatedAt: now,
	}
	if err := errors.Join(in.apply(&row), s.checkMedia(ctx, in)); err != nil {
		return StaffArticle{}, err
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if err := region.RequireOpenTx(tx, row.RegionID); err != nil {
			return err
		}
		return s.record(tx, actor, row, model.ArticleCreate, nil, "", nil)
	})
	if errors.Is(err, region.ErrClosed) {
		return StaffArticle{}, err
	}
	if err != nil {
		return StaffArticle{}, fmt.Errorf("reading: create article: %w", err)
	}
	return StaffArticle{Article: row, RegionName: home.Name, RegionPath: home.Path}, nil
}

// Change goes with every change of an article.
type Change struct {
	ArticleID string
	Version   int64  // that the actor saw: an article changed since then is ErrChanged
	Reason    string // at most 200 characters; a withdrawal needs one
}

// Update rewrites an article; a session that is under way keeps the reading
// time that it began with. It and the two moves below are open to operators over the
// article's region and may fail with ErrArticleNotFound, auth.forbidden,
// ErrMove, ErrChanged and reading.invalid.
func (s *Service) Update(ctx context.Context, actor authz.Actor, c Change, in ArticleInput) (StaffArticle, error) {
	return s.change(ctx, actor, c, model.ArticleUpdate, func(a *model.Article) error {
		return errors.Join(in.apply(a), s.checkMedia(ctx, in))
	})
}

// checkMedia sees to it that cover and recording are there.
func (s *Service) checkMedia(ctx context.Context, in ArticleInput) error {
	var f fault.Fields
	err := errors.Join(
		media.Check(s.db.Read(ctx), &f, "cover_key", model.MediaPicture, in.CoverKey),
		media.Check(s.db.Read(ctx), &f, "audio_key", model.MediaAudio, in.AudioKey))
	if err != nil {
		return err
	}
	return f.Err(codeInvalid)
}

// Publish shows an article to residents, as the newest.
func (s *Service) Publish(ctx context.Context, actor authz.Actor, c Change) (StaffArticle, error) {
	return s.change(ctx, actor, c, model.ArticlePublish, func(a *model.Article) error {
		a.PublishedAt = s.now().Ptr()
		return nil
	})
}

// Withdraw hides an article. Who has read it keeps the points; who is reading
// it earns none.
func (s *Service) Withdraw(ctx context.Context, actor authz.Actor, c Change) (StaffArticle, error) {
	var f fault.Fields
	f.Add(strings.TrimSpace(c.Reason) != "", "reason", "请填写撤回的原因")
	if err := f.Err(codeInvalid); err != nil {
		return StaffArticle{}, err
	}
	return s.change(ctx, actor, c, model.ArticleWithdraw, func(*model.Article) error { return nil })
}

const maxReason = 200

func (s *Service) change(ctx context.Context, actor authz.Actor, c Change, move model.ArticleMove, apply func(*model.Article) error) (StaffArticle, error) {
	var f fault.Fields
	f.Add(utf8.ValidString(c.Reason) && utf8.RuneCountInString(c.Reason) <= maxReason, "reason", "原因最多 200 个字")
	if err := f.Err(codeInvalid); err != nil {
		return StaffArticle{}, err
	}
	out, err := s.Article(ctx, actor, c.ArticleID)
	if err != nil {
		return StaffArticle{}, err
	}
	if err := actor.InRegion(out.RegionPath, writers...); err != nil {
		return StaffArticle{}, err
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		out.Article, err = s.changeTx(tx, actor, c, move, apply)
		return err
	})
	return out, err
}

// changeTx changes an article's row and records it; beside is what the caller
// changes that is not in the row.
func (s *Service) changeTx(tx *gorm.DB, actor authz.Actor, c Change, move model.ArticleMove, apply func(*model.Article) error, beside ...string) (model.Article, error) {
	var row model.Article
	if err := tx.Raw(`SELECT * FROM article WHERE id = ?`+database.ForUpdate(tx), c.ArticleID).Scan(&row).Error; err != nil {
		return row, fmt.Errorf("reading: lock article: %w", err)
	}
	if row.Version != c.Version {
		return row, ErrChanged
	}
	allowed, from, before := moves[move], row.Status, row
	if !slices.Contains(allowed.from, from) {
		return row, ErrMove
	}
	if err := apply(&row); err != nil {
		return row, err
	}
	if allowed.to != "" {
		row.Status = allowed.to
	}
	row.Version++
	row.UpdatedAt = s.now()
	if err := tx.Save(&row).Error; err != nil {
		return row, fmt.Errorf("reading: change article: %w", err)
	}
	changes := articleChanges(before, row)
	for _, field := range beside {
		changes.Mention(field, true)
	}
	return row, s.record(tx, actor, row, move, &from, c.Reason, changes)
}

// record writes what happened into the article's own history and into the audit
// log; detail is for the latter.
func (s *Service) record(tx *gorm.DB, actor authz.Actor, a model.Article, move model.ArticleMove, from *model.ArticleStatus, reason string, detail any) error {
	reason = strings.TrimSpace(reason)
	err := tx.Create(&model.ArticleHistory{
		ID: s.clock.NewID(), ArticleID: a.ID, Version: a.Version, Move: move, FromStatus: from, ToStatus: a.Status,
		ActorKind: string(actor.Kind), ActorID: actor.ID, Reason: reason, CreatedAt: a.UpdatedAt,
	}).Error
	if err != nil {
		return fmt.Errorf("reading: article history: %w", err)
	}
	return s.trail.RecordTx(tx, identity.AuditEntry{
		Actor: actor, Action: "article." + string(move), ObjectType: "article", ObjectID: a.ID, RegionID: a.RegionID, Reason: reason, Detail: detail,
	})
}

// articleChanges says what an edit changed in the row.
func articleChanges(old, now model.Article) (c identity.Changes) {
	c.Compare("title", old.Title, now.Title)
	c.Compare("summary", old.Summary, now.Summary)
	c.Mention("body", old.Body != now.Body)
	c.Compare("source", old.Source, now.Source)
	c.Compare("min_seconds", old.MinSeconds, now.MinSeconds)
	c.Mention("cover_key", !equal(old.CoverKey, now.CoverKey))
	c.Mention("audio_key", !equal(old.AudioKey, now.AudioKey))
	return c
}

func equal(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// Article returns one article of a region over which the actor is an operator
// or an auditor.
func (s *Service) Article(ctx context.Context, actor authz.Actor, id string) (StaffArticle, error) {
	var rows []StaffArticle
	err := s.db.Read(ctx).Raw(`SELECT a.*, r.name AS region_name, r.path AS region_path FROM article a
		JOIN region r ON r.id = a.region_id WHERE a.id = ?`, id).Scan(&rows).Error
	if err != nil {
		return StaffArticle{}, fmt.Errorf("reading: article: %w", err)
	}
	if len(rows) == 0 || actor.InRegion(rows[0].RegionPath, readers...) != nil {
		return StaffArticle{}, ErrArticleNotFound
	}
	if err := s.countReads(ctx, rows); err != nil {
		return StaffArticle{}, err
	}
	return rows[0], nil
}

// ArticleFilter narrows the staff list; zero fields mean any.
type ArticleFilter struct {
	RegionID string // and everything below it
	Status   ArticleStatus
	Text     string // contained in title or summary, at most 40 characters
}

// ArticleOrder is how articles can be sorted; one that is not published yet is
// later than all that are.
var ArticleOrder = paging.NewOrder("-created_at",
	paging.Text("created_at", "a.id", func(a StaffArticle) string { return a.ID }),
	paging.Number("published_at", "COALESCE(a.published_at, 9223372036854775807)", func(a StaffArticle) int64 { return paging.OrLast(a.PublishedAt) }),
	paging.Text("title", "a.title", func(a StaffArticle) string { return a.Title }),
)

// Articles lists the articles of the actor's regions, without their bodies,
// newest first unless sorted by ArticleOrder.
func (s *Service) Articles(ctx context.Context, actor authz.Actor, filter ArticleFilter, page paging.Request) (paging.Page[StaffArticle], error) {
	none := paging.Page[StaffArticle]{}
	seek, err := ArticleOrder.Seek(page)
	if err != nil {
		return none, err
	}
	if err := checkQuery(filter.Text); err != nil {
		return none, err
	}
	where, args := withinPaths(actor.RegionPaths(readers...))
	if filter.RegionID != "" {
		var path string
		if err := s.db.Read(ctx).Raw(`SELECT path FROM region WHERE id = ?`, filter.RegionID).Scan(&path).Error; err != nil {
			return none, fmt.Errorf("reading: region: %w", err)
		}
		from, to := model.RegionPathRange(path)
		where, args = where+" AND r.path >= ? AND r.path < ?", append(args, from, to)
		if path == "" {
			where += " AND 1 = 0"
		}
	}
	if filter.Status != "" {
		where, args = where+" AND a.status = ?", append(args, filter.Status)
	}
	where, args = where+" AND "+seek.Where, append(args, seek.Args...)
	text, textArgs := textFilter(filter.Text)
	var rows []StaffArticle
	err = s.db.Read(ctx).Raw(`SELECT a.id, a.region_id, a.title, a.summary, a.cover_key, a.audio_key, a.question_count, a.source, a.min_seconds, a.status, a.version,
		a.published_at, a.created_by, a.created_at, a.updated_at, r.name AS region_name, r.path AS region_path
		FROM article a JOIN region r ON r.id = a.region_id WHERE `+where+text+` ORDER BY `+seek.By+` LIMIT ?`,
		append(append(args, textArgs...), seek.Limit)...).Scan(&rows).Error
	if err != nil {
		return none, fmt.Errorf("reading: list articles: %w", err)
	}
	if err := s.countReads(ctx, rows); err != nil {
		return none, err
	}
	return seek.Page(rows), nil
}

func checkQuery(text string) error {
	var f fault.Fields
	f.Add(utf8.ValidString(text) && utf8.RuneCountInString(text) <= maxQuery, "q", "搜索词最多 40 个字")
	return f.Err(codeInvalid)
}

// withinPaths limits a list to subtrees.
func withinPaths(paths []string) (where string, args []any) {
	parts := []string{"1 = 0"}
	for _, path := range paths {
		from, to := model.RegionPathRange(path)
		parts, args = append(parts, "r.path >= ? AND r.path < ?"), append(args, from, to)
	}
	return "(" + strings.Join(parts, " OR ") + ")", args
}

// countReads fills Reads of a page in one statement.
func (s *Service) countReads(ctx context.Context, articles []StaffArticle) error {
	if len(articles) == 0 {
		return nil
	}
	ids := make([]string, len(articles))
	for i, a := range articles {
		ids[i] = a.ID
	}
	var rows []struct {
		ArticleID string
		Total     int64
	}
	err := s.db.Read(ctx).Raw(`SELECT article_id, COUNT(*) AS total FROM reading_session
		WHERE article_id IN ? AND status = ? GROUP BY article_id`, ids, model.ReadingCompleted).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("reading: count reads: %w", err)
	}
	byID := make(map[string]int64, len(rows))
	for _, r := range rows {
		byID[r.ArticleID] = r.Total
	}
	for i := range articles {
		articles[i].Reads = byID[articles[i].ID]
	}
	return nil
}

// Step is a change of an article and who made it.
type Step struct {
	History
	ActorName string // of staff
}

// ArticleHistory lists what was done to an article, newest first.
func (s *Service) ArticleHistory(ctx context.Context, actor authz.Actor, articleID string, page paging.Request) (paging.Page[Step], error) {
	key, err := page.Key(1)
	if err != nil {
		return paging.Page[Step]{}, err
	}
	if _, err := s.Article(ctx, actor, articleID); err != nil {
		return paging.Page[Step]{}, err
	}
	q := s.db.Read(ctx).Table("article_history h").Select("h.*, COALESCE(p.name, '') AS actor_name").
		Joins("LEFT JOIN staff p ON p.id = h.actor_id").Where("h.article_id = ?", articleID)
	if key != nil {
		version, err := cursorNumber(key[0])
		if err != nil {
			return paging.Page[Step]{}, err
		}
		q = q.Where("h.version < ?", version)
	}
	var rows []Step
	if err := q.Order("h.version DESC").Limit(page.Size() + 1).Scan(&rows).Error; err != nil {
		return paging.Page[Step]{}, fmt.Errorf("reading: article history: %w", err)
	}
	return paging.Of(rows, page, func(h Step) []string { return []string{strconv.FormatInt(h.Version, 10)} }), nil
}

// cursorNumber parses a number in a cursor.
func cursorNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, paging.ErrCursor
	}
	return n, nil
}
