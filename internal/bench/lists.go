package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
)

// Lists is how the console's tables behave as their lists grow: the same pages
// in the same Chromium, over a short list and then over a long one.

const (
	fewRows      = 100
	listPageRows = 20 // of a page of the console
)

// pageTimes is what one list of the console took, in milliseconds, and what it
// holds: scripts/measure-lists.mjs of the console finds out.
type pageTimes struct {
	List          string  `json:"list"`
	Open          figures `json:"open"` // until the rows are painted, by the address
	Next          figures `json:"next"` // from the click until the rows are painted
	Sort          figures `json:"sort"`
	Filter        figures `json:"filter"`
	OpenServer    figures `json:"open_server"` // of the list's own request
	NextServer    figures `json:"next_server"`
	SortServer    figures `json:"sort_server"`
	FilterServer  figures `json:"filter_server"`
	Requests      int     `json:"requests"` // for the list, of all the pages
	Pages         int     `json:"pages"`
	MostRows      int     `json:"most_rows"` // in the document
	MostNodes     int     `json:"most_nodes"`
	LongTasks     int     `json:"long_tasks"` // over 50 ms, while paging
	LongestTaskMs float64 `json:"longest_task_ms"`
}

// check asserts what must be true whatever the machine.
func (p pageTimes) check() error {
	switch {
	case p.Requests != p.Pages:
		return fmt.Errorf("%s: %d requests for %d pages", p.List, p.Requests, p.Pages)
	case p.MostRows > listPageRows:
		return fmt.Errorf("%s: %d rows in the document", p.List, p.MostRows)
	case p.Pages < 2:
		return fmt.Errorf("%s: only %d pages", p.List, p.Pages)
	}
	return nil
}

func lists(ctx context.Context, rep *report, s *site) error {
	rep.columns("list", "rows", "open ms", "of it the server", "next page ms", "of it the server", "sort ms", "of it the server", "filter ms", "of it the server", "pages", "nodes", "long tasks", "longest ms")
	g := &growing{site: s}
	if err := g.prepare(ctx); err != nil {
		return err
	}
	var few []pageTimes
	for _, rows := range []int{fewRows, setting("BENCH_ROWS", 100_000)} {
		if err := g.lengthen(ctx, rows); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
		found, err := s.inBrowser(ctx)
		if err != nil {
			return fmt.Errorf("at %d rows: %w", rows, err)
		}
		for i, p := range found {
			if err := p.check(); err != nil {
				return fmt.Errorf("at %d rows: %w", rows, err)
			}
			rep.row(p.List, rows, p.Open.as("%.0f"), p.OpenServer.as("%.1f"), p.Next.as("%.0f"), p.NextServer.as("%.1f"), p.Sort.as("%.0f"),
				p.SortServer.as("%.1f"), p.Filter.as("%.0f"),
				p.FilterServer.as("%.1f"), p.Pages, p.MostNodes, p.LongTasks, fmt.Sprintf("%.0f", p.LongestTaskMs))
			if few == nil {
				continue
			}
			rep.row(p.List, "ratio", ratio(p.Open, few[i].Open), ratio(p.OpenServer, few[i].OpenServer), ratio(p.Next, few[i].Next), ratio(p.NextServer, few[i].NextServer),
				ratio(p.Sort, few[i].Sort), ratio(p.SortServer, few[i].SortServer), ratio(p.Filter, few[i].Filter), ratio(p.FilterServer, few[i].FilterServer), "", "", "", "")
		}
		few = found
	}
	return nil
}

// ratio is one median as a part of the other.
func ratio(long, short figures) string { return fmt.Sprintf("%.2f", long.median()/short.median()) }

// lengthen makes the lists so long: residents, and as many lines of the log.
func (g *growing) lengthen(ctx context.Context, rows int) error {
	for g.have < rows {
		part := min(fillWallets, rows-g.have)
		values := map[string]any{"base": g.have, "part": part, "home": g.home.ID, "now": int64(clock.Now(clock.NewSystem()))}
		for _, q := range []string{
			`INSERT INTO resident (id, nickname, volunteer_number, home_region_id, status, created_at, updated_at)
				SELECT CONCAT('01G00', ` + walletNumber + `), '居民', CONCAT('B', n + @base), @home, CASE WHEN n % 10 = 0 THEN 'frozen' ELSE 'active' END, @now + n, @now + n
				FROM bench_number WHERE n < @part`,
			`INSERT INTO audit_log (id, actor_kind, actor_id, action, object_type, object_id, region_id, reason, detail, created_at)
				SELECT CONCAT('01H00', ` + walletNumber + `), 'system', 'bench', CASE WHEN n % 10 = 0 THEN 'resident.freeze' ELSE 'job.run' END, 'resident',
				CONCAT('01G00', ` + walletNumber + `), @home, '演示', '{}', @now + n FROM bench_number WHERE n < @part`,
		} {
			query, args := positional(q, values)
			if _, err := g.db.WriteSQL().ExecContext(ctx, query, args...); err != nil {
				return fmt.Errorf("%.40s…: %w", q, err)
			}
		}
		g.have += part
	}
	if g.driver != database.MySQL {
		return nil
	}
	_, err := g.db.WriteSQL().ExecContext(ctx, "ANALYZE TABLE resident, audit_log") // as the server does by itself, a little later
	return err
}

// inBrowser has the console's lists looked at in Chromium.
func (s *site) inBrowser(ctx context.Context) (out []pageTimes, err error) {
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	look := exec.CommandContext(ctx, "node", filepath.Join("web", "console", "scripts", "measure-lists.mjs")) //nolint:gosec // our own script
	look.Env = append(os.Environ(), "JMK_TEST_URL=http://"+s.addr)
	look.Stderr = os.Stderr
	text, err := look.Output()
	if err != nil {
		return nil, fmt.Errorf("measure-lists: %w", err)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("measure-lists: %w", err)
	}
	return out, nil
}
