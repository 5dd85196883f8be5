package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"jiamenkou/internal/clock"
	"jiamenkou/service/ledger"
)

// AuditReport is what an audit found.
type AuditReport struct {
	Sound    bool           `json:"sound"`
	Counts   AuditCounts    `json:"counts"`
	Sections []AuditSection `json:"sections"`

	accounts []ledger.AccountID // that differ, for the freeze
}

// AuditCounts says what of the ledger was looked at.
type AuditCounts struct {
	Accounts int64 `json:"accounts"`
	Links    int64 `json:"links"`
	Journals int64 `json:"journals"`
	Seals    int64 `json:"seals"`
	Rows     int64 `json:"rows"` // of orders, redemptions, statements and the journal against them
}

// AuditSection is one service's part of the audit.
type AuditSection struct {
	Name        string            `json:"name"`
	Differences []AuditDifference `json:"differences"`
}

// AuditDifference is one thing that differs.
type AuditDifference struct {
	Check  string `json:"check"`
	Object string `json:"object"`
	Seq    int64  `json:"seq,omitempty"` // place in the account's chain
	Want   int64  `json:"want"`
	Got    int64  `json:"got"`
	Note   string `json:"note,omitempty"` // what is wrong, where no numbers say it
}

// Text renders the report for a person.
func (r AuditReport) Text() string {
	var b strings.Builder
	for _, s := range r.Sections {
		if len(s.Differences) == 0 {
			fmt.Fprintf(&b, "%-12s sound\n", s.Name)
			continue
		}
		fmt.Fprintf(&b, "%-12s %d differences\n", s.Name, len(s.Differences))
		for _, d := range s.Differences {
			fmt.Fprintf(&b, "  %s\n", ledger.Difference{Check: d.Check, Object: d.Object, Seq: d.Seq, Want: d.Want, Got: d.Got, Note: d.Note})
		}
	}
	fmt.Fprintf(&b, "%d accounts, %d links of their chains, %d journal rows, %d seals; %d rows above the ledger\n",
		r.Counts.Accounts, r.Counts.Links, r.Counts.Journals, r.Counts.Seals, r.Counts.Rows)
	if r.Sound {
		b.WriteString("nothing was lost: every balance follows from its transfers\n")
	} else {
		b.WriteString("DIFFERENCES FOUND: see above\n")
	}
	return b.String()
}

// AuditState is where an audit stands; see AuditWith.
type AuditState struct {
	StartedAt clock.Instant
	Sections  []ledger.AuditState // in the order of App.audits
}

// AuditOptions adjust an audit; the zero value runs it whole and in silence.
type AuditOptions struct {
	Resume *AuditState // go on where an earlier audit stopped
	// Step is called after each range with the state that Resume needs, and how
	// much is done; an error ends the audit.
	Step      func(state AuditState, done, total int64) error
	RangeRows int // accounts or rows checked from one consistent read; 0 means the services' own numbers
}

// auditPart is one service's part of the audit.
type auditPart struct {
	name  string
	start func(context.Context) (ledger.AuditState, error)
	run   func(context.Context, ledger.AuditOptions) (ledger.AuditResult, error)
}

// audits lists every service that checks its rows, from the ground up.
func (a *App) audits() []auditPart {
	return []auditPart{
		{"ledger", a.Ledger.StartAudit, a.Ledger.AuditStream},
		a.auditRows("volunteer", a.Volunteer.AuditPhases()),
		a.auditRows("reading", a.Reading.AuditPhases()),
		a.auditRows("casework", a.Casework.AuditPhases()),
		a.auditRows("market", a.Market.AuditPhases()),
		a.auditRows("settlement", a.Settlement.AuditPhases()),
		a.auditWhole("leaderboard", a.Leaderboard.Audit),
	}
}

func (a *App) auditRows(name string, phases []ledger.AuditPhase) auditPart {
	return auditPart{
		name:  name,
		start: func(ctx context.Context) (ledger.AuditState, error) { return a.Ledger.StartAuditRows(ctx, phases) },
		run: func(ctx context.Context, o ledger.AuditOptions) (ledger.AuditResult, error) {
			return a.Ledger.AuditRows(ctx, phases, o)
		},
	}
}

// auditWhole is the part of a service whose audit is one step.
func (a *App) auditWhole(name string, audit func(context.Context) ([]ledger.Difference, error)) auditPart {
	return auditPart{
		name:  name,
		start: func(context.Context) (ledger.AuditState, error) { return ledger.AuditState{}, nil },
		run: func(ctx context.Context, o ledger.AuditOptions) (ledger.AuditResult, error) {
			if o.Resume.Complete {
				return ledger.AuditResult{Differences: o.Resume.Differences}, nil
			}
			found, err := audit(ctx)
			if err != nil {
				return ledger.AuditResult{}, err
			}
			state := ledger.AuditState{Differences: found, Complete: true}
			return ledger.AuditResult{Differences: found}, o.Step(state.Progress())
		},
	}
}

// Audit runs every service's audit. It only reads.
func (a *App) Audit(ctx context.Context) (AuditReport, error) {
	return a.AuditWith(ctx, AuditOptions{})
}

// AuditWith runs every service's audit. One that was stopped can be resumed
// from the last state that Step was given.
func (a *App) AuditWith(ctx context.Context, o AuditOptions) (AuditReport, error) {
	report := AuditReport{Sound: true}
	parts := a.audits()
	state, err := a.auditState(ctx, parts, o.Resume)
	if err != nil {
		return report, err
	}
	for i, p := range parts {
		from := state.Sections[i]
		found, err := p.run(ctx, ledger.AuditOptions{
			Resume: &from, RangeAccounts: o.RangeRows, RangeRows: o.RangeRows,
			Step: func(progress ledger.AuditProgress) error {
				state.Sections[i] = progress.State
				if o.Step == nil {
					return nil
				}
				done, total := state.progress()
				return o.Step(AuditState{StartedAt: state.StartedAt, Sections: slices.Clone(state.Sections)}, done, total)
			},
		})
		if err != nil {
			return report, fmt.Errorf("audit: %s: %w", p.name, err)
		}
		report.count(found.Counts)
		report.add(p.name, found.Differences)
	}
	return report, nil
}

// auditState is where the audit begins: at from, if that has the same parts.
func (a *App) auditState(ctx context.Context, parts []auditPart, from *AuditState) (AuditState, error) {
	if from != nil {
		if len(from.Sections) != len(parts) {
			return AuditState{}, errOldAuditState
		}
		return AuditState{StartedAt: from.StartedAt, Sections: slices.Clone(from.Sections)}, nil
	}
	state := AuditState{StartedAt: clock.Now(a.clock), Sections: make([]ledger.AuditState, len(parts))}
	for i, p := range parts {
		var err error
		if state.Sections[i], err = p.start(ctx); err != nil {
			return state, fmt.Errorf("audit: %s: %w", p.name, err)
		}
	}
	return state, nil
}

func (s AuditState) progress() (done, total int64) {
	for _, part := range s.Sections {
		p := part.Progress()
		if p.State.Complete {
			p.Total = p.Done // rows may have gone meanwhile
		}
		done, total = done+p.Done, total+p.Total
	}
	return done, total
}

func (r *AuditReport) count(c ledger.AuditCounts) {
	r.Counts.Accounts += c.Accounts
	r.Counts.Links += c.Links
	r.Counts.Journals += c.Journals
	r.Counts.Seals += c.Seals
	r.Counts.Rows += c.Rows
}

func (r *AuditReport) add(name string, found []ledger.Difference) {
	section := AuditSection{Name: name, Differences: []AuditDifference{}}
	for _, d := range found {
		r.Sound = false
		if d.Account != "" {
			r.accounts = append(r.accounts, d.Account)
		}
		section.Differences = append(section.Differences, AuditDifference{
			Check: d.Check, Object: d.Object, Seq: d.Seq, Want: d.Want, Got: d.Got, Note: d.Note,
		})
	}
	r.Sections = append(r.Sections, section)
}
