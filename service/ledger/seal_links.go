package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/model"
)

const (
	// linkBatch is how many links one transaction of the sealer writes: it
	// holds SQLite's only writer for some milliseconds.
	linkBatch = 400
	// linkScan is how many transfers one look for missing links steps over.
	linkScan = 5_000
	// clockSkew is how far the clocks of two instances may be apart.
	clockSkew = time.Minute
)

// unlinkedQuery finds the transfers of a range of ids that are in no chain: a
// range of the primary key, and one look into a unique key for each.
const unlinkedQuery = `SELECT ` + chainedColumns + ` FROM transfer t
	LEFT JOIN wallet_link l ON l.transfer_id = t.id
	JOIN journal j ON j.id = t.journal_id
	WHERE t.id > ? AND t.id <= ? AND l.transfer_id IS NULL ORDER BY t.id LIMIT ?`

// anyUnlinkedQuery asks whether there is one.
const anyUnlinkedQuery = `SELECT t.id FROM transfer t LEFT JOIN wallet_link l ON l.transfer_id = t.id
	WHERE t.id > ? AND t.id <= ? AND l.transfer_id IS NULL LIMIT 1`

// scanBoundQuery finds where the next range ends; lastTransferQuery is for the
// last one, which is shorter.
const (
	scanBoundQuery    = `SELECT id FROM transfer WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?`
	lastTransferQuery = `SELECT id FROM transfer WHERE id > ? ORDER BY id DESC LIMIT 1`
)

// headsQuery finds the last link of each chain: one seek each.
const headsQuery = `SELECT h.account_id, h.seq, h.hash FROM account a JOIN wallet_link h
	ON h.account_id = a.id AND h.seq = (SELECT MAX(m.seq) FROM wallet_link m WHERE m.account_id = a.id)
	WHERE a.id IN ?`

// LinkTransfers puts transfers that are in no chain yet into their chains, in
// the order of their ids, and returns how many. It looks at the transfers since
// the last complete pass and, since a transaction may commit long after its ids
// were made, at those of a window before. It may be cancelled at any time, and
// run by several instances at once.
func (s *Service) LinkTransfers(ctx context.Context) (int, error) {
	began := clock.Now(s.clock)
	state, err := s.sealState(ctx)
	if err != nil {
		return 0, err
	}
	from := ""
	if state.LinkedUntil != 0 {
		// A clock that was set back makes smaller ids than before.
		from = idAt(min(state.LinkedUntil, began).Add(-s.commitWindow()))
	}
	n, err := s.linkFrom(ctx, from)
	if err != nil {
		return n, err
	}
	return n, s.noteLinked(ctx, "linked_until", began)
}

// RelinkTransfers does the same over all transfers there are: for those whose
// ids were made by a clock that was wrong by more than the window. What
// Audit says of missing links rests on it.
func (s *Service) RelinkTransfers(ctx context.Context) (int, error) {
	began := clock.Now(s.clock)
	if _, err := s.sealState(ctx); err != nil {
		return 0, err
	}
	n, err := s.linkFrom(ctx, "")
	if err != nil {
		return n, err
	}
	return n, s.noteLinked(ctx, "relinked_until", began)
}

// commitWindow is how long after its ids were made a transaction may still
// become visible: its own time, twice that for the answer to COMMIT, and what
// the clocks of two instances may differ by.
func (s *Service) commitWindow() time.Duration { return 3*s.db.TxTimeout() + clockSkew }

// idAt returns a ULID before all others of its millisecond.
func idAt(t clock.Instant) string {
	var id ulid.ULID
	if err := id.SetTime(ulid.Timestamp(t.Time())); err != nil {
		return "" // before 1970: everything
	}
	return id.String()
}

// sealState returns the sealer's row, made if there is none.
func (s *Service) sealState(ctx context.Context) (state model.SealState, err error) {
	err = s.db.Read(ctx).Where("id = 1").Take(&state).Error
	if !errors.Is(err, gorm.ErrRecordNotFound) {
		return state, err
	}
	state = model.SealState{ID: 1}
	return state, database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		row := state
		return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error
	})
}

// lockSealState makes sealers take turns.
func lockSealState(tx *gorm.DB) (state model.SealState, err error) {
	err = tx.Raw(`SELECT * FROM seal_state WHERE id = 1` + database.ForUpdate(tx)).Scan(&state).Error
	return state, err
}

func (s *Service) noteLinked(ctx context.Context, column string, at clock.Instant) error {
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		return tx.Exec(`UPDATE seal_state SET `+column+` = ? WHERE id = 1`, at).Error
	})
}

// linkFrom links everything whose id is greater than after.
func (s *Service) linkFrom(ctx context.Context, after string) (total int, err error) {
	for {
		upTo, err := s.scanBound(ctx, after)
		if err != nil || upTo == "" {
			return total, err
		}
		var one string
		if err := s.db.Read(ctx).Raw(anyUnlinkedQuery, after, upTo).Scan(&one).Error; err != nil {
			return total, fmt.Errorf("ledger: link: %w", err)
		}
		for one != "" { // most ranges of the window are linked, and take no lock
			n, err := s.linkRange(ctx, after, upTo)
			total += n
			if err != nil {
				return total, err
			}
			if n < linkBatch {
				break
			}
		}
		after = upTo
	}
}

// scanBound returns the last id of the next range, "" if there is none.
func (s *Service) scanBound(ctx context.Context, after string) (upTo string, err error) {
	db := s.db.Read(ctx)
	if err := db.Raw(scanBoundQuery, after, linkScan-1).Scan(&upTo).Error; err != nil {
		return "", fmt.Errorf("ledger: link: %w", err)
	}
	if upTo != "" {
		return upTo, nil
	}
	if err := db.Raw(lastTransferQuery, after).Scan(&upTo).Error; err != nil {
		return "", fmt.Errorf("ledger: link: %w", err)
	}
	return upTo, nil
}

// linkRange links up to linkBatch transfers of a range of ids in one
// transaction.
func (s *Service) linkRange(ctx context.Context, after, upTo string) (n int, err error) {
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		state, err := lockSealState(tx)
		if err != nil {
			return err
		}
		links, err := s.nextLinks(tx, after, upTo, state.LinkBatch+1)
		if n = len(links); err != nil || n == 0 {
			return err
		}
		if err := tx.Create(&links).Error; err != nil {
			return err
		}
		return tx.Exec(`UPDATE seal_state SET link_batch = link_batch + 1 WHERE id = 1`).Error
	})
	if err != nil {
		return 0, fmt.Errorf("ledger: link: %w", err)
	}
	return n, nil
}

// nextLinks reads, under the sealer's lock, what is to be linked, and continues
// the chains in memory.
func (s *Service) nextLinks(tx *gorm.DB, after, upTo string, batchNo int64) ([]model.WalletLink, error) {
	var rows []chained
	if err := tx.Raw(unlinkedQuery, after, upTo, linkBatch).Scan(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	if err := loadChainedLots(tx, rows); err != nil {
		return nil, err
	}
	accounts := map[string]bool{}
	for _, t := range rows {
		accounts[chainOf(t.DebitAccountID, t.CreditAccountID)] = true
	}
	var found []model.WalletLink
	if err := tx.Raw(headsQuery, sortedKeys(accounts)).Scan(&found).Error; err != nil {
		return nil, err
	}
	heads := make(map[string]model.WalletLink, len(found))
	for _, h := range found {
		heads[h.AccountID] = h
	}
	now := clock.Now(s.clock)
	links := make([]model.WalletLink, 0, len(rows))
	for i := range rows {
		account := chainOf(rows[i].DebitAccountID, rows[i].CreditAccountID)
		head, ok := heads[account]
		if !ok {
			head.Hash = genesis
		}
		link := model.WalletLink{
			AccountID: account, Seq: head.Seq + 1, TransferID: rows[i].ID, BatchNo: batchNo, Encoding: linkEncoding,
			PrevHash: head.Hash, CreatedAt: now,
		}
		link.Hash = linkHash(account, link.Seq, link.PrevHash, &rows[i])
		heads[account] = link
		links = append(links, link)
	}
	return links, nil
}

// loadChainedLots adds to transfers what they gave to lots.
func loadChainedLots(tx *gorm.DB, rows []chained) error {
	ids := make([]string, len(rows))
	at := make(map[string]int, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
		at[rows[i].ID] = i
	}
	var lots []chainedLot
	if err := tx.Raw(lotsQuery, ids).Scan(&lots).Error; err != nil {
		return err
	}
	for _, l := range lots {
		i := at[l.TransferID]
		rows[i].lots = append(rows[i].lots, l)
	}
	return nil
}
