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
	Sections []AuditSection `json:"sections"`

	accounts []ledger.AccountID // that differ, for the freeze
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
	Want   int64  `json:"want"`
	Got    int64  `json:"got"`
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
			fmt.Fprintf(&b, "  %s: %s: want %d, got %d\n", d.Check, d.Object, d.Want, d.Got)
		}
	}
	if r.Sound {
		b.WriteString("nothing was lost: every balance follows from its transfers\n")
	} else {
		b.WriteString("DIFFERENCES FOUND: see above\n")
	}
	return b.String()
}

// audits lists every service that checks its own rows, from the ground up.
func (a *App) audits() []struct {
	name  string
	audit func(context.Context) ([]ledger.Difference, error)
} {
	return []struct {
		name  string
		audit func(context.Context) ([]ledger.Difference, error)
	}{
		{"ledger", a.Ledger.Audit},
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
	report := AuditReport{Sound: true}
	for _, s := range a.audits() {
		found, err := s.audit(ctx)
		if err != nil {
			return report, fmt.Errorf("audit: %s: %w", s.name, err)
		}
		section := AuditSection{Name: s.name, Differences: []AuditDifference{}}
		for _, d := range found {
			report.Sound = false
			if d.Account != "" {
				report.accounts = append(report.accounts, d.Account)
			}
			section.Differences = append(section.Differences, AuditDifference{Check: d.Check, Object: d.Object, Want: d.Want, Got: d.Got})
		}
		report.Sections = append(report.Sections, section)
	}
	return report, nil
}
