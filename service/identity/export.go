package identity

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
)

// exportBatch is how many rows of a part are in memory at once.
const exportBatch = 500

// ExportPart is one table's part of what the program knows about a resident
// (PIPL art. 45: everybody may have a copy). The services above identity add
// theirs with OnExport, beside the DeleteHook that forgets the same rows.
type ExportPart struct {
	Table string // whose rows they are; also the part's name in the file
	Title string // for the resident

	count string
	read  func(tx *gorm.DB, args ...any) (rows []any, last string, err error)
}

// ExportRow is embedded in what a part's rows are scanned into.
type ExportRow struct {
	Key string `json:"-" gorm:"column:export_key"`
}

func (r ExportRow) exportKey() string { return r.Key }

// ExportTime writes an instant as the API does.
type ExportTime clock.Instant

// MarshalJSON implements json.Marshaler.
func (t ExportTime) MarshalJSON() ([]byte, error) {
	return json.Marshal(clock.Instant(t).Time().Format(time.RFC3339))
}

// NewExportPart says how a part is read: columns, and from with its WHERE over
// @resident. T is what a row is scanned into and written as; key is a unique
// column or expression that orders the rows.
func NewExportPart[T interface{ exportKey() string }](table, title, key, columns, from string) ExportPart {
	query := `SELECT ` + key + ` AS export_key, ` + columns + ` FROM ` + from + ` AND ` + key + ` > @after ORDER BY ` + key + ` LIMIT @most`
	return ExportPart{
		Table: table, Title: title, count: `SELECT COUNT(*) FROM ` + from,
		read: func(tx *gorm.DB, args ...any) (rows []any, last string, err error) {
			var typed []T
			if err := tx.Raw(query, args...).Scan(&typed).Error; err != nil {
				return nil, "", fmt.Errorf("identity: export %s: %w", table, err)
			}
			for _, row := range typed {
				rows, last = append(rows, row), row.exportKey()
			}
			return rows, last, nil
		},
	}
}

// OnExport adds parts to the export. Call it before serving.
func (s *Service) OnExport(parts ...ExportPart) { s.onExport = append(s.onExport, parts...) }

// ExportSummary is what an export holds of one table.
type ExportSummary struct {
	Table string
	Title string
	Rows  int64
}

// ExportSummaries says what WriteExport would write for the actor.
func (s *Service) ExportSummaries(ctx context.Context, actor authz.Actor) ([]ExportSummary, error) {
	if err := actor.Resident(); err != nil {
		return nil, err
	}
	out := make([]ExportSummary, len(s.onExport))
	for i, part := range s.onExport {
		out[i] = ExportSummary{Table: part.Table, Title: part.Title}
		if err := s.db.Read(ctx).Raw(part.count, sql.Named("resident", actor.ID)).Scan(&out[i].Rows).Error; err != nil {
			return nil, fmt.Errorf("identity: export: %w", err)
		}
	}
	return out, nil
}

// WriteExport writes the actor's parts as the members of a JSON object that is
// already open, a batch of rows at a time: what has gone out is not kept. The
// caller writes its own members first and closes the object.
func (s *Service) WriteExport(ctx context.Context, actor authz.Actor, w io.Writer) error {
	if err := actor.Resident(); err != nil {
		return err
	}
	for _, part := range s.onExport {
		if err := s.writePart(ctx, actor.ID, part, w); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) writePart(ctx context.Context, residentID string, part ExportPart, w io.Writer) error {
	head, err := json.Marshal(part.Title)
	if err != nil {
		return fmt.Errorf("identity: export: %w", err)
	}
	if _, err := fmt.Fprintf(w, ",\n%q: {\"title\": %s, \"rows\": [", part.Table, head); err != nil {
		return fmt.Errorf("identity: export: %w", err)
	}
	written, after, comma := 0, "", ""
	for written < s.cfg.MaxExportRows {
		most := min(exportBatch, s.cfg.MaxExportRows-written)
		rows, last, err := part.read(s.db.Read(ctx), sql.Named("resident", residentID), sql.Named("after", after), sql.Named("most", most))
		if err != nil {
			return err
		}
		for _, row := range rows {
			text, err := json.Marshal(row)
			if err != nil {
				return fmt.Errorf("identity: export %s: %w", part.Table, err)
			}
			if _, err := fmt.Fprintf(w, "%s\n%s", comma, text); err != nil {
				return fmt.Errorf("identity: export: %w", err)
			}
			comma = ","
		}
		if written, after = written+len(rows), last; len(rows) < most {
			break
		}
	}
	_, err = fmt.Fprintf(w, "], \"complete\": %t}", written < s.cfg.MaxExportRows)
	if err != nil {
		return fmt.Errorf("identity: export: %w", err)
	}
	return nil
}
