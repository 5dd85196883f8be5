package assurance

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"jiamenkou/internal/clock"
	"jiamenkou/service/ledger"
)

// Report is what an audit found.
type Report struct {
	Sound    bool      `json:"sound"`
	Counts   Counts    `json:"counts"`
	Sections []Section `json:"sections"`
}

// Counts says what of the ledger was looked at.
type Counts struct {
	Accounts int64 `json:"accounts"`
	Links    int64 `json:"links"`
	Journals int64 `json:"journals"`
	Seals    int64 `json:"seals"`
	Rows     int64 `json:"rows"` // of orders, redemptions, statements and the journal against them
}

// Section is one service's part of the audit.
type Section struct {
	Name        string       `json:"name"`
	Differences []Difference `json:"differences"`
}

// Difference is one thing that differs.
type Difference struct {
	Check  string `json:"check"`
	Object string `json:"object"`
	Seq    int64  `json:"seq,omitempty"` // place in the account's chain
	Want   int64  `json:"want"`
	Got    int64  `json:"got"`
	Note   string `json:"note,omitempty"` // what is wrong, where no numbers say it

	account ledger.AccountID // to be frozen; "" if nobody's points are in doubt
}

// Text renders the report for a person.
func (r Report) Text() string {
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

// State is where an audit stands between two steps.
type State struct {
	StartedAt clock.Instant
	Sections  []ledger.AuditState // in the order of Service.sections
}

// Options adjust an audit; the zero value runs it whole and in silence.
type Options struct {
	Resume *State // go on where an earlier audit stopped
	// Step is called after each range with the state that Resume needs, and how
	// much is done; an error ends the audit.
	Step      func(state State, done, total int64) error
	RangeRows int // accounts or rows checked from one consistent read; 0 means the services' own numbers
}

// section is one service's part of the audit.
type section struct {
	name  string
	start func(context.Context) (ledger.AuditState, error)
	run   func(context.Context, ledger.AuditOptions) (ledger.AuditResult, error)
}

// sections lists every service that checks its rows, from the ground up.
func (s *Service) sections() []section {
	return []section{
		{"ledger", s.Ledger.StartAudit, s.Ledger.AuditStream},
		s.inRanges("volunteer", s.Volunteer.AuditPhases()),
		s.inRanges("reading", s.Reading.AuditPhases()),
		s.inRanges("casework", s.Casework.AuditPhases()),
		s.inRanges("market", s.Market.AuditPhases()),
		s.inRanges("settlement", s.Settlement.AuditPhases()),
		s.inRanges("leaderboard", s.Leaderboard.AuditPhases()),
	}
}

func (s *Service) inRanges(name string, phases []ledger.AuditPhase) section {
	return section{
		name:  name,
		start: func(ctx context.Context) (ledger.AuditState, error) { return s.Ledger.StartAuditRows(ctx, phases) },
		run: func(ctx context.Context, o ledger.AuditOptions) (ledger.AuditResult, error) {
			return s.Ledger.AuditRows(ctx, phases, o)
		},
	}
}

// Audit runs every service's audit. It only reads. One that was stopped can be
// resumed from the last state that Step was given.
func (s *Service) Audit(ctx context.Context, o Options) (Report, error) {
	report := Report{Sound: true}
	sections := s.sections()
	state, err := s.startAudit(ctx, sections, o.Resume)
	if err != nil {
		return report, err
	}
	for i, part := range sections {
		from := state.Sections[i]
		found, err := part.run(ctx, ledger.AuditOptions{
			Resume: &from, RangeAccounts: o.RangeRows, RangeRows: o.RangeRows,
			Step: func(progress ledger.AuditProgress) error {
				state.Sections[i] = progress.State
				if o.Step == nil {
					return nil
				}
				done, total := state.progress()
				return o.Step(State{StartedAt: state.StartedAt, Sections: slices.Clone(state.Sections)}, done, total)
			},
		})
		if err != nil {
			return report, fmt.Errorf("audit: %s: %w", part.name, err)
		}
		report.count(found.Counts)
		report.add(part.name, found.Differences)
	}
	return report, nil
}

// startAudit is where the audit begins: at from, if that has the same sections.
func (s *Service) startAudit(ctx context.Context, sections []section, from *State) (State, error) {
	if from != nil {
		if len(from.Sections) != len(sections) {
			return State{}, ErrOldState
		}
		return State{StartedAt: from.StartedAt, Sections: slices.Clone(from.Sections)}, nil
	}
	state := State{StartedAt: clock.Now(s.Clock), Sections: make([]ledger.AuditState, len(sections))}
	for i, part := range sections {
		var err error
		if state.Sections[i], err = part.start(ctx); err != nil {
			return state, fmt.Errorf("audit: %s: %w", part.name, err)
		}
	}
	return state, nil
}

func (s State) progress() (done, total int64) {
	for _, part := range s.Sections {
		p := part.Progress()
		done, total = done+p.Done, total+p.Total
	}
	return done, total
}

func (r *Report) count(c ledger.AuditCounts) {
	r.Counts.Accounts += c.Accounts
	r.Counts.Links += c.Links
	r.Counts.Journals += c.Journals
	r.Counts.Seals += c.Seals
	r.Counts.Rows += c.Rows
}

func (r *Report) add(name string, found []ledger.Difference) {
	section := Section{Name: name, Differences: []Difference{}}
	for _, d := range found {
		r.Sound = false
		section.Differences = append(section.Differences, Difference{
			Check: d.Check, Object: d.Object, Seq: d.Seq, Want: d.Want, Got: d.Got, Note: d.Note, account: d.Account,
		})
	}
	r.Sections = append(r.Sections, section)
}
