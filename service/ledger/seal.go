package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
)

// Errors of sealing.
var (
	ErrSealing = fault.New(fault.Conflict, "ledger.sealing", "正在封存账目，请稍后再试")
	ErrNoSeal  = fault.New(fault.NotFound, "ledger.no_seal", "账目还没有封存过，请明天再来查看")
)

// errSealLost ends a sealer that was taken for dead and replaced.
var errSealLost = errors.New("ledger: seal: another instance took over")

const (
	sealLease     = 5 * time.Minute // renewed with every chunk
	sealAccounts  = 500             // accounts or nodes of one statement
	sealBuckets   = 100             // buckets read at once
	sealBatchStep = 4               // link batches read at once
)

// changedQuery finds the accounts whose chains grew in a range of link batches.
const changedQuery = `SELECT DISTINCT account_id FROM wallet_link WHERE batch_no > ? AND batch_no <= ?`

// nextBatchQuery finds the first batch after one, so that gaps cost nothing.
const nextBatchQuery = `SELECT COALESCE(MIN(batch_no), 0) FROM wallet_link WHERE batch_no > ? AND batch_no <= ?`

// headsAsOfQuery finds the last link of each chain up to a batch.
const headsAsOfQuery = `SELECT h.account_id, h.seq, h.hash FROM account a JOIN wallet_link h
	ON h.account_id = a.id AND h.seq = (SELECT m.seq FROM wallet_link m WHERE m.account_id = a.id AND m.batch_no <= ?
		ORDER BY m.seq DESC LIMIT 1)
	WHERE a.id IN ?`

// Seal links what is not linked yet and seals the heads of all chains under one
// root: one seal a day; the second call of a day returns the first one's. Only
// what changed since the seal before is computed. It may be cancelled at any
// time: what a sealer leaves unfinished counts for nothing. It returns
// ErrSealing if another instance is at it.
func (s *Service) Seal(ctx context.Context) (model.Seal, error) {
	if _, err := s.LinkTransfers(ctx); err != nil {
		return model.Seal{}, err
	}
	w, err := s.beginSeal(ctx)
	if err != nil {
		return model.Seal{}, err
	}
	seal, err := w.run(ctx)
	if errors.Is(err, errSealLost) {
		return model.Seal{}, ErrSealing.WithCause(err)
	}
	if err != nil {
		// The next one need not wait for the lease; ctx may be over.
		free, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, w.release(free))
	}
	if err != nil {
		return model.Seal{}, fmt.Errorf("ledger: seal: %w", err)
	}
	return seal, nil
}

// sealing is one seal in the making.
type sealing struct {
	s     *Service
	token string
	last  model.Seal // zero before the first
	next  model.Seal
	// What this seal changes, by level: position -> hash. At most 2^17 nodes.
	dirty [treeDepth + 1]map[int64]string
}

func (s *Service) beginSeal(ctx context.Context) (*sealing, error) {
	if _, err := s.sealState(ctx); err != nil {
		return nil, err
	}
	w := &sealing{s: s, token: s.clock.NewID()}
	for l := range w.dirty {
		w.dirty[l] = map[int64]string{}
	}
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		state, err := lockSealState(tx)
		if err != nil {
			return err
		}
		now := clock.Now(s.clock)
		if state.Holder != "" && state.HeldUntil > now {
			return ErrSealing
		}
		w.last = model.Seal{Root: emptyNodes[0], PreviousRoot: emptyNodes[0], PreviousHash: genesis, Hash: genesis}
		if err := tx.Raw(`SELECT * FROM seal ORDER BY number DESC LIMIT 1`).Scan(&w.last).Error; err != nil {
			return err
		}
		w.next = model.Seal{
			ID: s.clock.NewID(), Number: w.last.Number + 1, Day: clock.Today(s.clock), LinkBatch: state.LinkBatch,
			WalletCount: w.last.WalletCount, PreviousRoot: w.last.Root, PreviousHash: w.last.Hash, CreatedAt: now,
		}
		return tx.Exec(`UPDATE seal_state SET holder = ?, held_until = ? WHERE id = 1`, w.token, now.Add(sealLease)).Error
	})
	if err != nil {
		if errors.Is(err, ErrSealing) {
			return nil, err
		}
		return nil, fmt.Errorf("ledger: seal: %w", err)
	}
	return w, nil
}

func (w *sealing) run(ctx context.Context) (model.Seal, error) {
	if w.last.Number > 0 && w.last.Day >= w.next.Day { // later: the clock was set back
		return w.last, w.release(ctx)
	}
	for _, step := range []func(context.Context) error{w.clean, w.leaves, w.buckets, w.nodes, w.publish, w.prune} {
		if err := step(ctx); err != nil {
			return model.Seal{}, err
		}
	}
	return w.next, nil
}

// inTx writes a part of the seal, unless another sealer has taken over.
func (w *sealing) inTx(ctx context.Context, fn func(tx *gorm.DB) error) error {
	return database.InTx(ctx, w.s.db, func(tx *gorm.DB) error {
		state, err := lockSealState(tx)
		if err != nil {
			return err
		}
		if state.Holder != w.token {
			return errSealLost
		}
		if err := tx.Exec(`UPDATE seal_state SET held_until = ? WHERE id = 1`, clock.Now(w.s.clock).Add(sealLease)).Error; err != nil {
			return err
		}
		return fn(tx)
	})
}

func (w *sealing) release(ctx context.Context) error {
	return database.InTx(ctx, w.s.db, func(tx *gorm.DB) error {
		return tx.Exec(`UPDATE seal_state SET holder = '', held_until = 0 WHERE id = 1 AND holder = ?`, w.token).Error
	})
}

// clean removes what a sealer that died left behind under this number.
func (w *sealing) clean(ctx context.Context) error {
	for {
		var accounts []string
		err := w.s.db.Read(ctx).Raw(`SELECT account_id FROM seal_leaf WHERE seal_number >= ? ORDER BY seal_number, account_id LIMIT ?`,
			w.next.Number, sealAccounts).Scan(&accounts).Error
		if err != nil {
			return err
		}
		if len(accounts) == 0 {
			break
		}
		err = w.inTx(ctx, func(tx *gorm.DB) error {
			return tx.Exec(`DELETE FROM seal_leaf WHERE account_id IN ? AND seal_number >= ?`, accounts, w.next.Number).Error
		})
		if err != nil {
			return err
		}
	}
	for level := range int64(treeDepth + 1) {
		for {
			var positions []int64
			err := w.s.db.Read(ctx).Raw(`SELECT position FROM seal_node WHERE seal_number = ? AND level = ? LIMIT ?`,
				w.next.Number, level, sealAccounts).Scan(&positions).Error
			if err != nil {
				return err
			}
			if len(positions) == 0 {
				break
			}
			err = w.inTx(ctx, func(tx *gorm.DB) error {
				return tx.Exec(`DELETE FROM seal_node WHERE level = ? AND position IN ? AND seal_number >= ?`, level, positions, w.next.Number).Error
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// leaves writes the new heads of the chains that grew since the last seal.
func (w *sealing) leaves(ctx context.Context) error {
	db, after := w.s.db.Read(ctx), w.last.LinkBatch
	for {
		var first int64
		if err := db.Raw(nextBatchQuery, after, w.next.LinkBatch).Scan(&first).Error; err != nil {
			return err
		}
		if first == 0 {
			return nil
		}
		upTo := min(first+sealBatchStep-1, w.next.LinkBatch)
		var accounts []string
		if err := db.Raw(changedQuery, first-1, upTo).Scan(&accounts).Error; err != nil {
			return err
		}
		slices.Sort(accounts)
		for chunk := range slices.Chunk(accounts, sealAccounts) {
			if err := w.writeLeaves(ctx, chunk); err != nil {
				return err
			}
		}
		after = upTo
	}
}

func (w *sealing) writeLeaves(ctx context.Context, accounts []string) error {
	db := w.s.db.Read(ctx)
	var heads []model.WalletLink
	if err := db.Raw(headsAsOfQuery, w.next.LinkBatch, accounts).Scan(&heads).Error; err != nil {
		return err
	}
	// An account that changed in several batches comes several times.
	var have []struct {
		AccountID string
		Newest    int64
	}
	err := db.Raw(`SELECT account_id, MAX(seal_number) AS newest FROM seal_leaf WHERE account_id IN ? GROUP BY account_id`, accounts).
		Scan(&have).Error
	if err != nil {
		return err
	}
	newest := make(map[string]int64, len(have))
	for _, h := range have {
		newest[h.AccountID] = h.Newest
	}
	var (
		rows  []model.SealLeaf
		added int64
	)
	for _, h := range heads {
		if newest[h.AccountID] == w.next.Number {
			continue
		}
		if newest[h.AccountID] == 0 {
			added++
		}
		bucket := bucketOf(treeKey(h.AccountID))
		w.dirty[treeDepth][bucket] = ""
		rows = append(rows, model.SealLeaf{
			AccountID: h.AccountID, SealNumber: w.next.Number, Bucket: bucket, Seq: h.Seq, Head: h.Hash,
		})
	}
	if len(rows) == 0 {
		return nil
	}
	w.next.WalletCount += added
	return w.inTx(ctx, func(tx *gorm.DB) error { return tx.Create(&rows).Error })
}

// buckets recomputes the buckets in which a leaf changed.
func (w *sealing) buckets(ctx context.Context) error {
	changed := w.dirty[treeDepth]
	for chunk := range slices.Chunk(sortedNumbers(changed), sealBuckets) {
		found, err := readBuckets(w.s.db.Read(ctx), chunk, w.next.Number)
		if err != nil {
			return err
		}
		for _, b := range chunk {
			changed[b] = bucketHash(found.entries(b))
		}
	}
	return w.writeNodes(ctx, treeDepth)
}

// nodes recomputes what lies above the changed buckets, level by level.
func (w *sealing) nodes(ctx context.Context) error {
	db := w.s.db.Read(ctx)
	for level := treeDepth - 1; level >= 0; level-- {
		below, parents := w.dirty[level+1], w.dirty[level]
		for p := range below {
			parents[p/2] = ""
		}
		for chunk := range slices.Chunk(sortedNumbers(parents), sealAccounts/2) {
			var siblings []int64
			for _, p := range chunk {
				for _, child := range []int64{2 * p, 2*p + 1} {
					if below[child] == "" {
						siblings = append(siblings, child)
					}
				}
			}
			kept, err := readNodes(db, level+1, siblings, w.last.Number)
			if err != nil {
				return err
			}
			hashOf := func(child int64) string {
				if h := below[child]; h != "" {
					return h
				}
				return kept[child]
			}
			for _, p := range chunk {
				parents[p] = nodeHash(hashOf(2*p), hashOf(2*p+1))
			}
		}
		if err := w.writeNodes(ctx, level); err != nil {
			return err
		}
	}
	return nil
}

func (w *sealing) writeNodes(ctx context.Context, level int) error {
	for chunk := range slices.Chunk(sortedNumbers(w.dirty[level]), sealAccounts) {
		rows := make([]model.SealNode, len(chunk))
		for i, p := range chunk {
			rows[i] = model.SealNode{Level: int64(level), Position: p, SealNumber: w.next.Number, Hash: w.dirty[level][p]}
		}
		if err := w.inTx(ctx, func(tx *gorm.DB) error { return tx.Create(&rows).Error }); err != nil {
			return err
		}
	}
	return nil
}

// publish makes the seal the newest one: from here on its rows count.
func (w *sealing) publish(ctx context.Context) error {
	w.next.Root = w.last.Root
	if changed := w.dirty[0][0]; changed != "" {
		w.next.Root = changed
	}
	w.next.Hash = sealHash(factsOf(w.next))
	return w.inTx(ctx, func(tx *gorm.DB) error {
		if err := tx.Create(&w.next).Error; err != nil {
			return err
		}
		return tx.Exec(`UPDATE seal_state SET holder = '', held_until = 0 WHERE id = 1`).Error
	})
}

// prune removes the rows that the seal superseded. If it is cut short they
// stay until their account or node changes again.
func (w *sealing) prune(ctx context.Context) error {
	for level := range w.dirty {
		for chunk := range slices.Chunk(sortedNumbers(w.dirty[level]), sealAccounts) {
			err := database.InTx(ctx, w.s.db, func(tx *gorm.DB) error {
				return tx.Exec(`DELETE FROM seal_node WHERE level = ? AND position IN ? AND seal_number < ?`, level, chunk, w.next.Number).Error
			})
			if err != nil {
				return err
			}
		}
	}
	after := ""
	for {
		var accounts []string
		err := w.s.db.Read(ctx).Raw(`SELECT account_id FROM seal_leaf WHERE seal_number = ? AND account_id > ? ORDER BY account_id LIMIT ?`,
			w.next.Number, after, sealAccounts).Scan(&accounts).Error
		if err != nil || len(accounts) == 0 {
			return err
		}
		err = database.InTx(ctx, w.s.db, func(tx *gorm.DB) error {
			return tx.Exec(`DELETE FROM seal_leaf WHERE account_id IN ? AND seal_number < ?`, accounts, w.next.Number).Error
		})
		if err != nil {
			return err
		}
		after = accounts[len(accounts)-1]
	}
}

func sortedNumbers[V any](m map[int64]V) []int64 {
	out := make([]int64, 0, len(m))
	for p := range m {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

// bucketsQuery and nodesQuery read rows in every version up to a seal; the
// newest of each is in force.
const (
	bucketsQuery = `SELECT account_id, seal_number, bucket, seq, head FROM seal_leaf
		WHERE bucket IN ? AND seal_number <= ? ORDER BY bucket, account_id, seal_number`
	nodesQuery = `SELECT level, position, seal_number, hash FROM seal_node
		WHERE level = ? AND position IN ? AND seal_number <= ? ORDER BY level, position, seal_number`
)

// leavesByBucket are the leaves of some buckets as of a seal.
type leavesByBucket map[int64][]model.SealLeaf

func readBuckets(db *gorm.DB, buckets []int64, number int64) (leavesByBucket, error) {
	var rows []model.SealLeaf
	if err := db.Raw(bucketsQuery, buckets, number).Scan(&rows).Error; err != nil {
		return nil, err
	}
	out := leavesByBucket{}
	for _, r := range rows {
		leaves := out[r.Bucket]
		if n := len(leaves); n > 0 && leaves[n-1].AccountID == r.AccountID {
			leaves[n-1] = r // a later version
			continue
		}
		out[r.Bucket] = append(leaves, r)
	}
	return out, nil
}

// entries returns a bucket's entries in the order of their keys.
func (l leavesByBucket) entries(bucket int64) []BucketEntry {
	out := make([]BucketEntry, len(l[bucket]))
	for i, r := range l[bucket] {
		out[i] = BucketEntry{Key: treeKey(r.AccountID), Leaf: leafHash(r.AccountID, r.Seq, r.Head)}
	}
	sortEntries(out)
	return out
}

// readNodes returns the hashes of nodes as of a seal; those that are not stored
// are empty.
func readNodes(db *gorm.DB, level int, positions []int64, number int64) (map[int64]string, error) {
	out := make(map[int64]string, len(positions))
	for _, p := range positions {
		out[p] = emptyNodes[level]
	}
	if len(positions) == 0 {
		return out, nil
	}
	var rows []model.SealNode
	if err := db.Raw(nodesQuery, level, positions, number).Scan(&rows).Error; err != nil {
		return nil, err
	}
	for _, r := range rows {
		out[r.Position] = r.Hash // the last version comes last
	}
	return out, nil
}

func factsOf(m model.Seal) SealFacts {
	return SealFacts{
		Number: m.Number, Day: string(m.Day), Root: m.Root, WalletCount: m.WalletCount, LinkBatch: m.LinkBatch,
		PreviousRoot: m.PreviousRoot, PreviousHash: m.PreviousHash, Hash: m.Hash,
	}
}

// Sealed is a published seal.
type Sealed struct {
	SealFacts
	CreatedAt clock.Instant
}

// SealOrder is how seals can be sorted.
var SealOrder = paging.NewOrder("-day", paging.Text("day", "day", func(m model.Seal) clock.Day { return m.Day }))

// Seals returns the published seals, newest first unless sorted by SealOrder.
func (s *Service) Seals(ctx context.Context, page paging.Request) (paging.Page[Sealed], error) {
	seek, err := SealOrder.Seek(page)
	if err != nil {
		return paging.Page[Sealed]{}, err
	}
	var rows []model.Seal
	if err := s.db.Read(ctx).Where(seek.Where, seek.Args...).Order(seek.By).Limit(seek.Limit).Find(&rows).Error; err != nil {
		return paging.Page[Sealed]{}, fmt.Errorf("ledger: seals: %w", err)
	}
	return paging.Map(seek.Page(rows), func(m model.Seal) Sealed { return Sealed{SealFacts: factsOf(m), CreatedAt: m.CreatedAt} }), nil
}

// Prove returns the proof that an account's chain is under the root of the
// newest seal or, for an account that had no transfer then, that it is not. It
// returns ErrNoSeal before the first seal.
func (s *Service) Prove(ctx context.Context, id AccountID) (Proof, error) {
	p := Proof{Version: proofVersion, Account: string(id)}
	err := database.Snapshot(ctx, s.db, func(tx *gorm.DB) error {
		var newest model.Seal
		if err := tx.Raw(`SELECT * FROM seal ORDER BY number DESC LIMIT 1`).Scan(&newest).Error; err != nil {
			return err
		}
		if newest.Number == 0 {
			return ErrNoSeal
		}
		p.Seal = factsOf(newest)
		position := bucketOf(treeKey(string(id)))
		leaves, err := readBuckets(tx, []int64{position}, newest.Number)
		if err != nil {
			return err
		}
		p.Bucket = leaves.entries(position)
		for _, l := range leaves[position] {
			if l.AccountID == string(id) {
				p.Included, p.Seq, p.Head = true, l.Seq, l.Head
			}
		}
		p.Path, err = readPath(tx, position, newest.Number)
		return err
	})
	if err != nil && !errors.Is(err, ErrNoSeal) {
		err = fmt.Errorf("ledger: prove: %w", err)
	}
	return p, err
}

// pathQuery reads one node of each level.
func pathQuery() string {
	return `SELECT level, position, seal_number, hash FROM seal_node WHERE seal_number <= ? AND (` +
		strings.TrimPrefix(strings.Repeat(` OR (level = ? AND position = ?)`, treeDepth), " OR ") + `) ORDER BY level, seal_number`
}

// readPath returns the siblings on the way from a bucket to the root.
func readPath(tx *gorm.DB, position, number int64) ([]string, error) {
	path := make([]string, treeDepth)
	args := []any{number}
	for i := range path {
		level := treeDepth - i
		path[i] = emptyNodes[level]
		args = append(args, level, position^1)
		position /= 2
	}
	var rows []model.SealNode
	if err := tx.Raw(pathQuery(), args...).Scan(&rows).Error; err != nil {
		return nil, err
	}
	for _, r := range rows {
		path[treeDepth-r.Level] = r.Hash
	}
	return path, nil
}
