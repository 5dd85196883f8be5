package model

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
)

// RegionLevel is a region's place in the tree: each level lies directly under
// the one before it.
type RegionLevel string

// The levels, from the tenant down.
const (
	RegionCounty    RegionLevel = "county"
	RegionTown      RegionLevel = "town"
	RegionVillage   RegionLevel = "village"
	RegionGrid      RegionLevel = "grid"
	RegionMicrogrid RegionLevel = "microgrid"
	RegionBuilding  RegionLevel = "building"
)

var regionLevels = []RegionLevel{
	RegionCounty, RegionTown, RegionVillage, RegionGrid, RegionMicrogrid, RegionBuilding,
}

// regionLevelTitles are what the levels are called (docs/glossary.md).
var regionLevelTitles = map[RegionLevel]string{
	RegionCounty: "县市区", RegionTown: "镇街", RegionVillage: "村社",
	RegionGrid: "网格", RegionMicrogrid: "微网格", RegionBuilding: "楼道",
}

// Title is what the level is called in Chinese, "" for none that is known.
func (l RegionLevel) Title() string { return regionLevelTitles[l] }

// RegionLevels returns every level, the county first.
func RegionLevels() []RegionLevel { return append([]RegionLevel(nil), regionLevels...) }

// Order is the level's depth: 1 for a county, 6 for a building, 0 for a word
// that is no level.
func (l RegionLevel) Order() int {
	for i, known := range regionLevels {
		if l == known {
			return i + 1
		}
	}
	return 0
}

// Parent is the level directly above, "" for a county.
func (l RegionLevel) Parent() RegionLevel {
	if n := l.Order(); n > 1 {
		return regionLevels[n-2]
	}
	return ""
}

// Limits of a region's texts.
const (
	RegionCodeMaxBytes = 32
	RegionNameMaxRunes = 64
)

// Region is one node of the tree of regions.
//
// Path lists the ids from the county down to the region itself, as in
// "/<county id>/<town id>/": it begins the paths of the whole subtree, so that
// a subtree is a range of one index and the ancestors are read off the text.
//
// The boundary itself (boundary_geojson) is no field: it may be large, and
// only service/region reads it. MinLon to MaxLat are its bounding box in
// degrees, nil while there is none.
type Region struct {
	ID       string `gorm:"primaryKey"`
	Code     string // the statistical code, or for a grid and below a made one
	ParentID *string
	Level    RegionLevel
	Name     string
	Path     string
	MinLon   *float64
	MaxLon   *float64
	MinLat   *float64
	MaxLat   *float64
	// ClosedAt is nil while the region is open. A closed one stays, for what
	// happened in it; SuccessorID is the one that took in what was open.
	ClosedAt    *clock.Instant
	SuccessorID *string
	// NameSlot is "" for the one open child of its parent that holds the name,
	// else the own id: for closed regions, and for siblings that shared a name
	// before that was refused.
	NameSlot  string
	Version   int64         // counts edits of the region itself; a move of an ancestor changes only Path
	CreatedAt clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt clock.Instant `gorm:"autoUpdateTime:false"`
}

// Validate checks the row against everything that can be said without the
// rest of the tree.
func (r Region) Validate() error {
	var f fault.Fields
	f.Add(ValidRegionCode(r.Code), "code", "编码应为 1 到 32 位字母、数字、横线或下划线")
	f.Add(r.Level.Order() > 0, "level", "没有这个层级")
	f.Add((r.Level == RegionCounty) == (r.ParentID == nil), "parent_id", "县市区没有上级，其余层级必须有上级")
	if reason := RegionNameFault(r.Name); reason != "" {
		f.Add(false, "name", reason)
	}
	return f.Err("region.invalid")
}

// Closed reports whether the region takes in nothing new.
func (r Region) Closed() bool { return r.ClosedAt != nil }

// HasBoundary reports whether a boundary is set.
func (r Region) HasBoundary() bool { return r.MinLon != nil }

// AncestorIDs returns the ids above the region, the county first.
func (r Region) AncestorIDs() []string {
	ids := RegionPathIDs(r.Path)
	return ids[:max(0, len(ids)-1)]
}

// ValidRegionCode reports whether s can be a region's code.
func ValidRegionCode(s string) bool {
	if s == "" || len(s) > RegionCodeMaxBytes {
		return false
	}
	for _, c := range []byte(s) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// RegionNameFault says what is wrong with a region's name, "" if nothing.
func RegionNameFault(name string) string {
	switch {
	case strings.TrimSpace(name) == "":
		return "名称不能为空"
	case !utf8.ValidString(name) || strings.ContainsRune(name, utf8.RuneError):
		return "名称的文字编码有误"
	case utf8.RuneCountInString(name) > RegionNameMaxRunes:
		return "名称最多 64 个字"
	case strings.TrimSpace(name) != name:
		return "名称前后不能有空格"
	case strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsPrint(c) }):
		return "名称含有不可见的字符"
	}
	return ""
}

// RegionPathIDs returns the ids in a path, the county first.
func RegionPathIDs(path string) []string {
	trimmed := strings.Trim(path, "/")
	if trimmed == "" {
		return nil
	}
	return strings.Split(trimmed, "/")
}

// RegionPathRange returns the bounds of a subtree: path >= from AND path < to
// holds for the region at path and everything below it, and for nothing else.
// Unlike LIKE, both engines answer it from the index.
func RegionPathRange(path string) (from, to string) {
	return path, strings.TrimSuffix(path, "/") + "0" // '0' follows '/'
}

// RegionPathOnly returns the bounds of one region without what lies below it,
// for the same comparison: the ids below go on behind their first digit.
func RegionPathOnly(path string) (from, to string) { return path, path + "0" }

// RegionParentPath returns the path of the region directly above, "/" for a
// county.
func RegionParentPath(path string) string {
	trimmed := strings.TrimSuffix(path, "/")
	return trimmed[:strings.LastIndexByte(trimmed, '/')+1]
}

// RegionCommonPath returns the path of the lowest region that holds both, "/"
// for regions of two counties.
func RegionCommonPath(a, b string) string {
	var n int
	for i := 0; i < min(len(a), len(b)) && a[i] == b[i]; i++ {
		if a[i] == '/' {
			n = i + 1
		}
	}
	return a[:n]
}

// RegionCountyPath returns the path of the county that a path lies in.
func RegionCountyPath(path string) string {
	if i := strings.IndexByte(strings.TrimPrefix(path, "/"), '/'); i >= 0 {
		return path[:i+2]
	}
	return path
}

// RegionHolding is a kind of thing that lies in a region while it is open.
type RegionHolding string

// What keeps a region from being closed.
const (
	HoldsRegions      RegionHolding = "regions" // open ones below it
	HoldsResidents    RegionHolding = "residents"
	HoldsGridWorkers  RegionHolding = "grid_workers"
	HoldsStaff        RegionHolding = "staff" // who are no grid workers
	HoldsCases        RegionHolding = "cases"
	HoldsActivities   RegionHolding = "activities"
	HoldsRecords      RegionHolding = "service_records" // waiting for an approval
	HoldsCertificates RegionHolding = "certificates"    // asked for
	HoldsArticles     RegionHolding = "articles"
	HoldsMerchants    RegionHolding = "merchants"
	HoldsBenefits     RegionHolding = "benefits"
	HoldsBudgets      RegionHolding = "budgets"
	HoldsObjections   RegionHolding = "objections"
	HoldsAdjustments  RegionHolding = "adjustments"
)

// RegionStanding says how much of a kind there is.
type RegionStanding struct {
	Holding RegionHolding
	Count   int64
}
