package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// loadRecorded recalls the items whose event, or whose client key, is in the
// journal already. It runs under the wallets' locks, so that of two equal
// items at once the second finds what the first wrote.
func (b *book) loadRecorded(ops []op) error {
	found, err := b.findRecorded(ops)
	if err != nil || len(found) == 0 {
		return err
	}
	return b.recallOutcomes(found)
}

// findRecorded reads the journal rows of the items' events and client keys.
func (b *book) findRecorded(ops []op) ([]model.Journal, error) {
	sources := map[[2]string][]string{} // (kind, source type) -> source ids
	keys := map[string][]string{}       // actor -> keys
	for _, o := range ops {
		ev, kind := o.header()
		group := [2]string{string(kind), ev.SourceType}
		sources[group] = append(sources[group], ev.SourceID)
		if ev.IdempotencyKey != "" {
			keys[ev.ActorID] = append(keys[ev.ActorID], ev.IdempotencyKey)
		}
	}
	var (
		where []string
		args  []any
	)
	for group, ids := range sources {
		where = append(where, "(kind = ? AND source_type = ? AND source_id IN ?)")
		args = append(args, group[0], group[1], ids)
	}
	var found []model.Journal
	if err := b.tx.Where(strings.Join(where, " OR "), args...).Find(&found).Error; err != nil || len(keys) == 0 {
		return found, err
	}
	where, args = nil, nil
	for actor, ks := range keys {
		where = append(where, "(actor_id = ? AND idempotency_key IN ?)")
		args = append(args, actor, ks)
	}
	var more []model.Journal
	err := b.tx.Where(strings.Join(where, " OR "), args...).Find(&more).Error
	return append(found, more...), err
}

// recallOutcomes rebuilds the first answers of journal rows.
func (b *book) recallOutcomes(journals []model.Journal) error {
	outcomes := map[string]*Outcome{}
	ids := make([]string, 0, len(journals))
	for _, j := range journals {
		if outcomes[j.ID] == nil {
			outcomes[j.ID] = &Outcome{JournalID: j.ID}
			ids = append(ids, j.ID)
		}
	}
	var transfers []model.Transfer
	if err := b.tx.Where("journal_id IN ?", ids).Find(&transfers).Error; err != nil {
		return err
	}
	for _, t := range transfers {
		outcomes[t.JournalID].TransferID = t.ID
	}
	var holds []model.Hold
	if err := b.tx.Where("journal_id IN ?", ids).Find(&holds).Error; err != nil {
		return err
	}
	for _, h := range holds {
		outcomes[h.JournalID].HoldID = h.ID
	}
	for _, j := range journals {
		r := recorded{hash: j.InputHash, outcome: *outcomes[j.ID]}
		b.bySource[sourceKey(j.Kind, j.SourceType, j.SourceID)] = r
		if j.IdempotencyKey != nil {
			b.byActor[actorKey(j.ActorID, *j.IdempotencyKey)] = r
		}
	}
	return nil
}

// flush writes the book back: one statement per table, however many items.
func (b *book) flush() error {
	if len(b.journals) == 0 {
		return nil // every item failed or was a replay
	}
	var lots []model.Lot
	for _, l := range b.newLots {
		row := l.row
		row.Remaining, row.Held = l.remaining, l.held
		lots = append(lots, row)
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"journal", b.writeJournals},
		{"hold", func() error { return create(b.tx, b.newHolds) }},
		{"resolve holds", b.updateHolds},
		{"transfer", func() error { return create(b.tx, b.transfers) }},
		{"lot", func() error { return create(b.tx, lots) }},
		{"update lots", b.updateLots},
		{"lot_entry", func() error { return create(b.tx, b.lotMoves) }},
		{"hold_lot", func() error { return create(b.tx, b.holdLots) }},
		{"balances", b.updateBalances},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("ledger: write %s: %w", step.what, err)
		}
	}
	return nil
}

// writeJournals comes first, so that nothing else is written when a unique key
// of the journal refuses a row: see errRecordedMeanwhile.
func (b *book) writeJournals() error {
	err := create(b.tx, b.journals)
	if database.IsDuplicate(err) {
		return errors.Join(errRecordedMeanwhile, err)
	}
	return err
}

func create[T any](tx *gorm.DB, rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	return tx.Create(&rows).Error
}

// caseUpdate builds one UPDATE that changes many rows, each by its own
// amounts: SET column = column + CASE key WHEN ? THEN ? … END.
type caseUpdate struct {
	table, key string
	columns    []string
	keys       []any
	values     [][]int64 // one row per key, in the order of columns
}

func (u *caseUpdate) add(key any, values ...int64) {
	u.keys = append(u.keys, key)
	u.values = append(u.values, values)
}

// exec runs the statement and requires that it changed every row.
func (u *caseUpdate) exec(tx *gorm.DB) error {
	if len(u.keys) == 0 {
		return nil
	}
	var (
		sql  strings.Builder
		args []any
	)
	fmt.Fprintf(&sql, "UPDATE %s SET version = version + 1", u.table)
	for c, column := range u.columns {
		if !slices.ContainsFunc(u.values, func(row []int64) bool { return row[c] != 0 }) {
			continue
		}
		fmt.Fprintf(&sql, ", %s = %s + CASE %s", column, column, u.key)
		for i, key := range u.keys {
			sql.WriteString(" WHEN ? THEN ?")
			args = append(args, key, u.values[i][c])
		}
		sql.WriteString(" ELSE 0 END")
	}
	fmt.Fprintf(&sql, " WHERE %s IN ?", u.key)
	return database.RequireRows(tx.Exec(sql.String(), append(args, u.keys)...), int64(len(u.keys)))
}

func (b *book) updateBalances() error {
	u := caseUpdate{table: "account_balance", key: "account_id", columns: []string{"posted", "held", "headroom"}}
	for _, id := range sortedKeys(b.accounts) {
		a := b.accounts[id]
		dPosted, dHeld, dRoom := a.posted-a.first.Posted, a.held-a.first.Held, a.headroom-a.first.Headroom
		if dPosted != 0 || dHeld != 0 || dRoom != 0 {
			u.add(string(id), dPosted, dHeld, dRoom)
		}
	}
	return u.exec(b.tx)
}

func (b *book) updateLots() error {
	u := caseUpdate{table: "lot", key: "id", columns: []string{"remaining", "held"}}
	for _, id := range sortedKeys(b.lots) {
		l := b.lots[id]
		if dRemaining, dHeld := l.remaining-l.row.Remaining, l.held-l.row.Held; !l.isNew && (dRemaining != 0 || dHeld != 0) {
			u.add(id, dRemaining, dHeld)
		}
	}
	return u.exec(b.tx)
}

func (b *book) updateHolds() error {
	var (
		status, journal strings.Builder
		statusArgs      []any
		journalArgs     []any
		ids             []string
	)
	for _, id := range sortedKeys(b.holds) {
		h := b.holds[id]
		if !h.resolved {
			continue
		}
		status.WriteString(" WHEN ? THEN ?")
		statusArgs = append(statusArgs, id, h.row.Status)
		journal.WriteString(" WHEN ? THEN ?")
		journalArgs = append(journalArgs, id, *h.row.ResolvedJournalID)
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		return nil
	}
	args := append(append(statusArgs, journalArgs...), b.now, ids, model.HoldPending)
	res := b.tx.Exec(`UPDATE hold SET status = CASE id`+status.String()+` END, resolved_journal_id = CASE id`+
		journal.String()+` END, resolved_at = ? WHERE id IN ? AND status = ?`, args...)
	return database.RequireRows(res, int64(len(ids)))
}

func sortedKeys[K ~string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
