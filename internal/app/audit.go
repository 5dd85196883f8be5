package app

import (
	"context"
	"fmt"
	"strings"

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
	fmt.Fprintf(&b, "%d accounts, %d links of their chains, %d journal rows, %d seals\n", r.Counts.Accounts, r.Counts.Links, r.Counts.Journals, r.Counts.Seals)
	if r.Sound {
		b.WriteString("nothing was lost: every balance follows from its transfers\n")
	} else {
		b.WriteString("DIFFERENCES FOUND: see above\n")
	}
	return b.String()
}

// audits lists every service above the ledger that checks its own rows, from
// the ground up.
func (a *App) audits() []struct {
	name  string
	audit func(context.Context) ([]ledger.Difference, error)
} {
	return []struct {
		name  string
		audit func(context.Context) ([]ledger.Difference, error)
	}{
		{"volunteer", a.Volunteer.Audit},
		{"reading", a.Reading.Audit},
		{"casework", a.Casework.Audit},
		{"market", a.Market.Audit},
		{"settlement", a.Settlement.Audit},
		{"leaderboard", a.Leaderboard.Audit},
	}
}

// Audit runs every service's audit. It only reads.
func (a *App) Audit(ctx context.Context) (AuditReport, error) {
	return a.AuditWith(ctx, ledger.AuditOptions{})
}

// AuditWith runs every service's audit, the ledger's with options: it alone
// takes long.
func (a *App) AuditWith(ctx context.Context, options ledger.AuditOptions) (AuditReport, error) {
	report := AuditReport{Sound: true}
	own, err := a.Ledger.AuditStream(ctx, options)
	if err != nil {
		return report, err
	}
	report.Counts = AuditCounts{
		Accounts: own.Counts.Accounts, Links: own.Counts.Links, Journals: own.Counts.Journals, Seals: own.Counts.Seals,
	}
	report.add("ledger", own.Differences)
	for _, s := range a.audits() {
		found, err := s.audit(ctx)
		if err != nil {
			return report, fmt.Errorf("audit: %s: %w", s.name, err)
		}
		report.add(s.name, found)
	}
	return report, nil
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
