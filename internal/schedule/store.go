package schedule

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/paging"
	"jiamenkou/internal/redact"
	"jiamenkou/model"
)

const (
	maxTextBytes    = 500 // of a result or an error
	pruneBatchRows  = 500
	maxPruneBatches = 2000
)

var (
	// errTaken: this tick has been run, here or elsewhere.
	errTaken = errors.New("schedule: the tick was taken")
	// errLeaseLost ends a run whose lease has gone.
	errLeaseLost = errors.New("schedule: the lease was lost")
)

// lease is what the holder of an entry has in hand.
type lease struct {
	name    string
	runID   string
	version int64
}

// store keeps leases and history.
type store struct {
	db    *database.DB
	clock clock.Clock
}

// seed makes the lease rows that are missing and returns all of these names.
func (s *store) seed(ctx context.Context, names []string) (map[string]model.JobLease, error) {
	now := clock.Now(s.clock)
	rows := make([]model.JobLease, len(names))
	for i, name := range names {
		rows[i] = model.JobLease{Name: name, CreatedAt: now}
	}
	byName := map[string]model.JobLease{}
	if len(rows) == 0 {
		return byName, nil
	}
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error
	})
	if err != nil {
		return nil, fmt.Errorf("schedule: seed leases: %w", err)
	}
	var kept []model.JobLease
	if err := s.db.Read(ctx).Where("name IN ?", names).Find(&kept).Error; err != nil {
		return nil, fmt.Errorf("schedule: read leases: %w", err)
	}
	for _, l := range kept {
		byName[l.Name] = l
	}
	return byName, nil
}

// claim takes the entry's lease and writes the run, or returns ErrRunning
// (somebody holds the lease) or errTaken (the tick has its run). A run whose
// lease ran out is marked abandoned on the way. alsoTx joins the transaction.
func (s *store) claim(ctx context.Context, run model.JobRun, ttl time.Duration, alsoTx func(tx *gorm.DB) error) (lease, error) {
	var l model.JobLease
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		l = model.JobLease{Name: run.Name, CreatedAt: run.StartedAt}
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&l).Error; err != nil {
			return err
		}
		if err := tx.Raw("SELECT * FROM job_lease WHERE name = ?"+database.ForUpdate(tx), run.Name).Scan(&l).Error; err != nil {
			return err
		}
		if l.ExpiresAt > run.StartedAt {
			return ErrRunning
		}
		if err := tx.Create(&run).Error; err != nil {
			if database.IsDuplicate(err) {
				return errTaken
			}
			return err
		}
		if err := abandon(tx, []string{l.RunID}, run.StartedAt); err != nil {
			return err
		}
		res := tx.Exec(`UPDATE job_lease SET holder = ?, run_id = ?, expires_at = ?, version = version + 1
			WHERE name = ? AND version = ?`, run.Instance, run.ID, run.StartedAt.Add(ttl), run.Name, l.Version)
		if err := database.RequireRows(res, 1); err != nil {
			return err
		}
		if alsoTx != nil {
			return alsoTx(tx)
		}
		return nil
	})
	if err != nil {
		return lease{}, err
	}
	return lease{name: run.Name, runID: run.ID, version: l.Version + 1}, nil
}

func abandon(tx *gorm.DB, runIDs []string, now clock.Instant) error {
	return tx.Exec(`UPDATE job_run SET status = 'abandoned', finished_at = ?, error = 'its instance vanished'
		WHERE id IN ? AND status = 'running'`, now, runIDs).Error
}

// renew extends the lease, or returns errLeaseLost.
func (s *store) renew(ctx context.Context, l lease, until clock.Instant) error {
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec("UPDATE job_lease SET expires_at = ? WHERE name = ? AND version = ? AND run_id = ?", until, l.name, l.version, l.runID)
		if res.Error == nil && res.RowsAffected == 0 {
			return errLeaseLost
		}
		return res.Error
	})
}

// finish writes how the run ended and frees the lease. It reports false if
// the run had been marked abandoned before.
func (s *store) finish(ctx context.Context, l lease, status model.JobStatus, result string, cause error) (ours bool, err error) {
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec(`UPDATE job_run SET status = ?, finished_at = ?, result = ?, error = ? WHERE id = ? AND status = 'running'`,
			status, clock.Now(s.clock), redact.Text(result, maxTextBytes), redact.Error(cause, maxTextBytes), l.runID)
		if res.Error != nil {
			return res.Error
		}
		ours = res.RowsAffected == 1
		return tx.Exec("UPDATE job_lease SET holder = '', run_id = '', expires_at = 0 WHERE name = ? AND version = ?", l.name, l.version).Error
	})
	return ours, err
}

// forsake lets the lease run out now, so that another instance takes the run
// over without waiting.
func (s *store) forsake(ctx context.Context, l lease) error {
	return s.renew(ctx, l, clock.Now(s.clock))
}

// lost is a run whose lease ran out.
type lost struct {
	name  string
	cause model.JobCause
}

// recover marks the runs of leases that ran out abandoned, frees the leases
// and returns the runs. Of several instances that see them one gets them.
func (s *store) recover(ctx context.Context) (found []lost, err error) {
	now := clock.Now(s.clock)
	var names []string
	err = s.db.Read(ctx).Model(&model.JobLease{}).Where("expires_at > 0 AND expires_at <= ?", now).Order("name").Pluck("name", &names).Error
	if err != nil || len(names) == 0 {
		return nil, err
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		found = nil
		var expired []model.JobLease
		err := tx.Raw("SELECT * FROM job_lease WHERE name IN ? AND expires_at > 0 AND expires_at <= ? ORDER BY name"+database.ForUpdate(tx),
			names, now).Scan(&expired).Error
		if err != nil || len(expired) == 0 {
			return err
		}
		ids := make([]string, len(expired))
		freed := make([]string, len(expired))
		for i, l := range expired {
			ids[i], freed[i] = l.RunID, l.Name
		}
		var runs []model.JobRun
		if err := tx.Where("id IN ? AND status = 'running'", ids).Order("name").Find(&runs).Error; err != nil {
			return err
		}
		for _, r := range runs {
			found = append(found, lost{name: r.Name, cause: r.Cause})
		}
		if err := abandon(tx, ids, now); err != nil {
			return err
		}
		return tx.Exec("UPDATE job_lease SET holder = '', run_id = '', expires_at = 0, version = version + 1 WHERE name IN ?", freed).Error
	})
	return found, err
}

// last returns the newest run of each entry, by name.
func (s *store) last(ctx context.Context, names []string) (map[string]model.JobRun, error) {
	byName := map[string]model.JobRun{}
	if len(names) == 0 {
		return byName, nil
	}
	var runs []model.JobRun
	err := s.db.Read(ctx).Raw(`SELECT r.* FROM job_run r
		JOIN (SELECT name, MAX(scheduled_at) AS scheduled_at FROM job_run WHERE name IN ? GROUP BY name) newest
		ON newest.name = r.name AND newest.scheduled_at = r.scheduled_at`, names).Scan(&runs).Error
	if err != nil {
		return nil, fmt.Errorf("schedule: last runs: %w", err)
	}
	for _, r := range runs {
		byName[r.Name] = r
	}
	return byName, nil
}

// ended returns, for entries with these newest runs, the newest run that is no
// longer going.
func (s *store) ended(ctx context.Context, last map[string]model.JobRun) (map[string]model.JobRun, error) {
	byName := map[string]model.JobRun{}
	var going []string
	for name, r := range last {
		if r.Status == model.JobRunning {
			going = append(going, name)
			continue
		}
		byName[name] = r
	}
	if len(going) == 0 {
		return byName, nil
	}
	var runs []model.JobRun
	err := s.db.Read(ctx).Raw(`SELECT r.* FROM job_run r
		JOIN (SELECT name, MAX(scheduled_at) AS scheduled_at FROM job_run
			WHERE name IN ? AND status <> 'running' GROUP BY name) newest
		ON newest.name = r.name AND newest.scheduled_at = r.scheduled_at`, going).Scan(&runs).Error
	if err != nil {
		return nil, fmt.Errorf("schedule: ended runs: %w", err)
	}
	for _, r := range runs {
		byName[r.Name] = r
	}
	return byName, nil
}

// firstSeen returns when each entry was first seen by an instance.
func (s *store) firstSeen(ctx context.Context, names []string) (map[string]clock.Instant, error) {
	var rows []model.JobLease
	if err := s.db.Read(ctx).Where("name IN ?", names).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("schedule: read leases: %w", err)
	}
	at := make(map[string]clock.Instant, len(rows))
	for _, l := range rows {
		at[l.Name] = l.CreatedAt
	}
	return at, nil
}

func (s *store) run(ctx context.Context, id string) (Run, error) {
	var m model.JobRun
	if err := s.db.Read(ctx).Where("id = ?", id).Take(&m).Error; err != nil {
		return Run{}, fmt.Errorf("schedule: read run: %w", err)
	}
	return runOf(m), nil
}

// RunOrder is how the runs of one entry can be sorted: no two have the same time.
var RunOrder = paging.NewOrder("-scheduled_at", paging.Number("scheduled_at", "scheduled_at", func(r model.JobRun) clock.Instant { return r.ScheduledAt }))

// runs lists the runs of one entry, newest first unless sorted by RunOrder.
func (s *store) runs(ctx context.Context, name string, page paging.Request) (paging.Page[Run], error) {
	seek, err := RunOrder.Seek(page)
	if err != nil {
		return paging.Page[Run]{}, err
	}
	var rows []model.JobRun
	if err := s.db.Read(ctx).Where("name = ?", name).Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit).Find(&rows).Error; err != nil {
		return paging.Page[Run]{}, fmt.Errorf("schedule: list runs: %w", err)
	}
	return paging.Map(seek.Page(rows), runOf), nil
}

// History is the pruning of the run history; jobs/ calls it.
type History struct {
	db    *database.DB
	clock clock.Clock
	keep  time.Duration
}

// NewHistory prunes what ended longer than keep ago (90 days if zero).
func NewHistory(db *database.DB, c clock.Clock, keep time.Duration) *History {
	if keep <= 0 {
		keep = 90 * 24 * time.Hour
	}
	return &History{db: db, clock: c, keep: keep}
}

// Prune deletes old runs, but each entry's newest, and returns how many.
func (h *History) Prune(ctx context.Context) (deleted int64, err error) {
	before := clock.Now(h.clock).Add(-h.keep)
	for range maxPruneBatches {
		var ids []string
		// The newest run stays, however old: the catch-up looks at it.
		err := h.db.Read(ctx).Raw(`SELECT id FROM job_run WHERE finished_at < ?
			AND EXISTS (SELECT 1 FROM job_run newer WHERE newer.name = job_run.name AND newer.scheduled_at > job_run.scheduled_at)
			ORDER BY finished_at LIMIT ?`, before, pruneBatchRows).Scan(&ids).Error
		if err != nil {
			return deleted, fmt.Errorf("schedule: prune: %w", err)
		}
		if len(ids) == 0 {
			return deleted, nil
		}
		var n int64
		err = database.InTx(ctx, h.db, func(tx *gorm.DB) error {
			res := tx.Where("id IN ?", ids).Delete(&model.JobRun{})
			n = res.RowsAffected
			return res.Error
		})
		if err != nil {
			return deleted, fmt.Errorf("schedule: prune: %w", err)
		}
		deleted += n
	}
	return deleted, nil
}
