package model

import "jiamenkou/internal/clock"

// MaxViews is how many views one person can save of one list; a CHECK says so
// too.
const MaxViews = 20

// SavedView is how a member of staff wants to see a list again.
type SavedView struct {
	ID          string `gorm:"primaryKey"`
	StaffID     string
	List        string `gorm:"column:list_name"`
	Slot        int64  // 1..MaxViews
	Name        string
	DefaultSlot *int64        // 1 for the view with which the list opens
	Filters     string        // JSON: filter to value
	Columns     string        `gorm:"column:column_keys"` // JSON: the columns shown, in their order; empty for all
	Sort        string        `gorm:"column:sort_key"`
	CreatedAt   clock.Instant `gorm:"autoCreateTime:false"`
	UpdatedAt   clock.Instant `gorm:"autoUpdateTime:false"`
}
