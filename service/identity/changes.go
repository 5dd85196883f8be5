package identity

import (
	"fmt"
	"time"

	"jiamenkou/internal/clock"
)

// Changes is the Detail of an AuditEntry for an edit: what was changed, from what and to what.
// The zero value is an edit that changed nothing.
type Changes struct {
	Changes []Change `json:"changes,omitempty"`
}

// Change is one field that an edit changed. From and To are cut to maxValue;
// both are empty for what is too long or not for an auditor to read.
type Change struct {
	Field string `json:"field"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
}

// maxValue is the longest copy of a value in characters.
const maxValue = 100

// Compare notes a field with both values if they differ. Values are texts,
// numbers and instants, or pointers to such, of which nil reads as "".
func (c *Changes) Compare(field string, from, to any) {
	if a, b := auditText(from), auditText(to); a != b {
		c.Changes = append(c.Changes, Change{field, truncate(a, maxValue), truncate(b, maxValue)})
	}
}

// Mention notes that a field was changed, without its values.
func (c *Changes) Mention(field string, changed bool) {
	if changed {
		c.Changes = append(c.Changes, Change{Field: field})
	}
}

func auditText(v any) string {
	switch v := v.(type) {
	case clock.Instant:
		return v.Time().Format(time.RFC3339)
	case *clock.Instant:
		return pointedText(v)
	case *string:
		return pointedText(v)
	case *int64:
		return pointedText(v)
	case *float64:
		return pointedText(v)
	}
	return fmt.Sprint(v)
}

func pointedText[T any](p *T) string {
	if p == nil {
		return ""
	}
	return auditText(*p)
}
