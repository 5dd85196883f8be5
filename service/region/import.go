package region

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// ImportResult counts the rows of an imported file.
type ImportResult struct {
	Created   int
	Updated   int // another name or another parent
	Unchanged int
}

// importAttempts bounds how often an import plans again because the tree
// changed meanwhile.
const importAttempts = 5

// Import takes in a file of regions (see Parse for its form): all of it or
// nothing. Regions are told apart by code; a known code with another name is
// renamed, with another parent moved together with everything below it; a
// region that the file does not name stays as it is. Importing a file twice
// changes nothing the second time.
//
// Only the system may create counties. A staff member must be operator over
// the whole county of every region that the file creates or changes. Nothing
// moves from one county to another, whoever imports it: a county is the tenant,
// and cases, their numbers and certificates belong to it.
//
// What OnPlaced refuses, a file cannot do either: the counties that it moves
// something in are checked whole, by one statement each.
//
// It returns ErrBadFile naming every faulty line (the first 1,000 of them),
// ErrFileTooLarge, ErrTooManyRows or ErrEmptyFile, and then nothing is written.
// The number of statements grows with the chunks of rows, not with the rows.
func (s *Service) Import(ctx context.Context, actor authz.Actor, r io.Reader) (ImportResult, error) {
	if !actor.IsSystem() && !actor.Has(authz.RoleOperator) {
		return ImportResult{}, authz.ErrForbidden
	}
	file, err := Parse(r)
	if err != nil {
		return ImportResult{}, err
	}
	var result ImportResult
	for range importAttempts {
		err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
			var err error
			result, err = s.importTx(tx, actor, file)
			return err
		})
		// A duplicate is somebody else's region of the same code, made since
		// the lookup: the next plan will find it.
		if !errors.Is(err, errStale) && !database.IsDuplicate(err) {
			break
		}
	}
	switch {
	case errors.Is(err, errStale), database.IsDuplicate(err):
		return ImportResult{}, ErrChanged.WithCause(err)
	case err != nil:
		return ImportResult{}, err
	}
	if result.Updated > 0 {
		s.placed()
	}
	return result, nil
}

func (s *Service) importTx(tx *gorm.DB, actor authz.Actor, file File) (ImportResult, error) {
	known, err := lookUp(tx, file.Records)
	if err != nil {
		return ImportResult{}, err
	}
	faults := slices.Concat(file.Faults, checkTree(file.Records, known))
	if len(faults) == 0 {
		if faults, err = checkNames(tx, file.Records, known); err != nil {
			return ImportResult{}, err
		}
	}
	if len(faults) > 0 {
		return ImportResult{}, badFile(faults)
	}
	p := s.plan(file.Records, known)
	if err := p.allowed(actor); err != nil {
		return ImportResult{}, err
	}
	if err := p.lock(tx); err != nil {
		return ImportResult{}, err
	}
	if err := p.write(tx); err != nil {
		return ImportResult{}, err
	}
	if p.moves() {
		if err := s.checkPlaces(tx, p.countiesTouched()...); err != nil {
			return ImportResult{}, err
		}
	}
	return p.result, s.recordImport(tx, actor, p)
}

// importDetail is what the audit trail says of an import.
type importDetail struct {
	Created int `json:"created"`
	Updated int `json:"updated"`
}

// recordImport keeps what staff import, once for each county that it changed.
// (What is imported from the command line is nobody of the staff's.)
func (s *Service) recordImport(tx *gorm.DB, actor authz.Actor, p *plan) error {
	if actor.IsSystem() {
		return nil
	}
	for _, county := range p.countiesTouched() {
		err := s.record(tx, Change{
			Actor: actor, Action: ActionImported, Region: Region{ID: model.RegionPathIDs(county)[0], Level: model.RegionCounty, Path: county},
			Detail: importDetail{p.result.Created, p.result.Updated},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lookUp returns by code what the database knows of the file's regions and
// their parents.
func lookUp(tx *gorm.DB, records []Record) (map[string]Region, error) {
	codes := make([]string, 0, 2*len(records))
	for _, r := range records {
		codes = append(codes, r.Code)
		if r.ParentCode != "" {
			codes = append(codes, r.ParentCode)
		}
	}
	rows, err := readBy(tx, "code", codes, "")
	if err != nil {
		return nil, err
	}
	known := make(map[string]Region, len(rows))
	for _, r := range rows {
		known[r.Code] = r
	}
	return known, nil
}

// checkTree finds what is wrong with the tree that the records and the known
// regions would make together: at most one fault a record.
func checkTree(records []Record, known map[string]Region) []LineFault {
	inFile := make(map[string]Record, len(records))
	for _, r := range records {
		inFile[r.Code] = r
	}
	cyclic := cycles(inFile)
	var faults []LineFault
	for _, r := range records {
		if reason := treeFault(r, inFile, known, cyclic[r.Code]); reason != "" {
			faults = append(faults, LineFault{r.Line, reason})
		}
	}
	return faults
}

func treeFault(r Record, inFile map[string]Record, known map[string]Region, cyclic bool) string {
	if cyclic {
		return "上级关系成环"
	}
	old, exists := known[r.Code]
	if exists && r.Level != "" && old.Level != r.Level {
		return "系统里该编码属于另一个级别，级别不能改变"
	}
	if exists && old.Closed() && changes(r, known) {
		return "该地区已撤销，请先在地区页面恢复"
	}
	if r.ParentCode == "" {
		return ""
	}
	if known[r.ParentCode].Closed() && changes(r, known) {
		return "上级地区已撤销"
	}
	level, ok := known[r.ParentCode].Level, true
	if parent, listed := inFile[r.ParentCode]; listed {
		level = parent.Level
	} else {
		_, ok = known[r.ParentCode]
	}
	switch {
	case !ok:
		return "上级编码不存在"
	case r.Level == model.RegionCounty:
		return "县市区不能有上级"
	case level != "" && level != r.Level.Parent():
		return fmt.Sprintf("上级的级别不对：%s的上级应为%s", r.Level.Title(), r.Level.Parent().Title())
	case exists && countyOf(r.ParentCode, inFile, known) != model.RegionCountyPath(old.Path):
		return "不能移到另一个县市区"
	}
	return ""
}

// countyOf is the path of the county in which a region lies: a known one stays in
// its own, a new one comes to that of its parents. It is "" for a new county.
func countyOf(code string, inFile map[string]Record, known map[string]Region) string {
	for range model.RegionLevels() { // parents that go in a circle are a fault of their own
		if r, ok := known[code]; ok {
			return model.RegionCountyPath(r.Path)
		}
		code = inFile[code].ParentCode
	}
	return ""
}

// cycles returns the codes that are their own ancestors.
func cycles(inFile map[string]Record) map[string]bool {
	const onWalk, done = 1, 2
	state := make(map[string]int, len(inFile))
	cyclic := map[string]bool{}
	for start := range inFile {
		var walk []string
		code := start
		for inFile[code].Code != "" && state[code] == 0 {
			state[code] = onWalk
			walk = append(walk, code)
			code = inFile[code].ParentCode
		}
		// The walk ended on itself: from there on it is a cycle.
		inCycle := false
		for _, c := range walk {
			inCycle = inCycle || c == code
			if inCycle {
				cyclic[c] = true
			}
			state[c] = done
		}
	}
	return cyclic
}

func (s *Service) plan(records []Record, known map[string]Region) *plan {
	p := &plan{
		now: clock.Now(s.clock), known: known,
		placed: make(map[string]Region, len(records)), moved: map[string]string{},
		locks: map[string]Region{}, counties: map[string]bool{},
	}
	byLevel := make([][]Record, len(model.RegionLevels()))
	for _, r := range records {
		byLevel[r.Level.Order()-1] = append(byLevel[r.Level.Order()-1], r)
	}
	// Downwards, so that a parent's place is settled before its children ask.
	for _, level := range byLevel {
		step := step{}
		for _, r := range level {
			p.place(&step, r, s.clock)
		}
		for _, m := range step.moves {
			p.moved[m.planned] = m.to
		}
		p.steps = append(p.steps, step)
	}
	return p
}
