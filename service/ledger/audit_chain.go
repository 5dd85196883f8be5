package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"jiamenkou/internal/database"
	"jiamenkou/model"
)

// The checks that an audit makes on chains and seals. A difference names the
// account and its place in the chain.
const (
	checkChain   = "chain has no gap"
	checkCovered = "chain equals its transfers"
	checkLeaf    = "seal holds the chain's head"
	checkNode    = "seal's node equals what is below it"
	checkSeal    = "seal follows from the one before"
)

// linkQuery reads the links of a range of accounts in the order of the chains,
// coveredQuery reads links with what they cover in the order of the transfers.
// Transfers, journal rows and lot entries lie in the order of time, a chain's
// links side by side: read so, an audit of more rows than memory holds looks
// for the links alone on the disk one by one.
const (
	linkQuery = `SELECT account_id, seq, batch_no, prev_hash, hash FROM wallet_link
		WHERE account_id >= ? AND account_id <= ? AND (account_id > ? OR seq > ?) ORDER BY account_id, seq LIMIT ?`
	coveredQuery = `SELECT l.account_id, l.seq, l.encoding, l.prev_hash, l.hash, ` + chainedColumns + `
		FROM wallet_link l LEFT JOIN transfer t ON t.id = l.transfer_id LEFT JOIN journal j ON j.id = t.journal_id
		WHERE l.transfer_id > ? AND l.transfer_id <= ? ORDER BY l.transfer_id`
)

// auditLink is a link as linkQuery reads it.
type auditLink struct {
	AccountID string
	Seq       int64
	BatchNo   int64
	PrevHash  string
	Hash      string
}

// coveredLink is a link with the rows that it covers; what is missing is empty.
type coveredLink struct {
	AccountID string
	Seq       int64
	Encoding  int64
	PrevHash  string
	Hash      string
	Of        chained `gorm:"embedded"`
}

// chainWalk follows the chains of a range of accounts, one after the other.
type chainWalk struct {
	a      *auditor
	seal   model.Seal                // the newest, zero if there is none
	leaves map[string]model.SealLeaf // of the accounts still to come

	account    string
	seq        int64
	hash       string
	sealedSeq  int64 // the last link that is under the seal
	sealedHash string
	broken     bool // the first difference of a chain is enough
}

// chains follows the chains of the accounts with lo < id <= hi, from link to
// link; whether each link covers what it says is coveredRange's to check.
func (a *auditor) chains(tx *gorm.DB, lo, hi string) error {
	w := &chainWalk{a: a, leaves: map[string]model.SealLeaf{}}
	var err error
	if w.seal, err = newestSeal(tx); err != nil {
		return err
	}
	if err := w.readLeaves(tx, lo, hi); err != nil {
		return err
	}
	account, seq := lo, int64(1)<<62 // after everything of lo
	for {
		var links []auditLink
		if err := tx.Raw(linkQuery, account, hi, account, seq, auditLinks).Scan(&links).Error; err != nil {
			return err
		}
		if len(links) == 0 {
			break
		}
		for i := range links {
			w.step(&links[i])
		}
		last := links[len(links)-1]
		account, seq = last.AccountID, last.Seq
		if len(links) < auditLinks {
			break
		}
	}
	w.finish()
	// What is left has a leaf and not one link.
	for _, id := range sortedKeys(w.leaves) {
		l := w.leaves[id]
		a.found(Difference{
			Check: checkLeaf, Object: id, Account: AccountID(id), Seq: 1, Want: l.Seq,
			Note: fmt.Sprintf("seal %d holds %d links, the chain is gone", w.seal.Number, l.Seq),
		})
	}
	return nil
}

// readLeaves reads the newest version of each leaf, one row at a time: every
// night may have added one.
func (w *chainWalk) readLeaves(tx *gorm.DB, lo, hi string) error {
	rows, err := tx.Raw(`SELECT account_id, seal_number, bucket, seq, head FROM seal_leaf
		WHERE account_id > ? AND account_id <= ? AND seal_number <= ? ORDER BY account_id, seal_number`, lo, hi, w.seal.Number).Rows()
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err is asked
	for rows.Next() {
		var l model.SealLeaf
		if err := rows.Scan(&l.AccountID, &l.SealNumber, &l.Bucket, &l.Seq, &l.Head); err != nil {
			return err
		}
		w.leaves[l.AccountID] = l // the last version comes last
	}
	return rows.Err()
}

func (w *chainWalk) step(l *auditLink) {
	if l.AccountID != w.account {
		w.finish()
		*w = chainWalk{a: w.a, seal: w.seal, leaves: w.leaves, account: l.AccountID, hash: genesis}
	}
	w.check(l)
	w.seq, w.hash = l.Seq, l.Hash
	if l.BatchNo <= w.seal.LinkBatch {
		w.sealedSeq, w.sealedHash = l.Seq, l.Hash
	}
	if leaf, ok := w.leaves[l.AccountID]; ok && leaf.Seq == l.Seq && leaf.Head != l.Hash {
		w.report(checkLeaf, l.Seq, "the link is not the one that was sealed")
	}
}

func (w *chainWalk) check(l *auditLink) {
	switch {
	case l.Seq != w.seq+1:
		w.report(checkChain, w.seq+1, "the link is missing")
	case l.PrevHash != w.hash:
		w.report(checkChain, l.Seq, "it does not follow from the link before")
	}
}

func (w *chainWalk) report(check string, seq int64, note string) {
	if w.broken {
		return
	}
	w.broken = true
	w.a.found(Difference{Check: check, Object: w.account, Account: AccountID(w.account), Seq: seq, Note: note})
}

// finish compares the chain that ends here with its leaf.
func (w *chainWalk) finish() {
	if w.account == "" {
		return
	}
	leaf, ok := w.leaves[w.account]
	delete(w.leaves, w.account)
	switch {
	case !ok && w.sealedSeq > 0:
		w.report(checkLeaf, w.sealedSeq, fmt.Sprintf("seal %d lacks the account", w.seal.Number))
	case ok && w.seq < leaf.Seq:
		w.report(checkLeaf, w.seq+1, fmt.Sprintf("seal %d holds %d links, the chain has %d", w.seal.Number, leaf.Seq, w.seq))
	case ok && (leaf.Seq != w.sealedSeq || leaf.Head != w.sealedHash):
		w.report(checkLeaf, w.sealedSeq, fmt.Sprintf("seal %d holds another head", w.seal.Number))
	}
}

// coveredRange recomputes the hashes of the next links from the transfers,
// journal rows and lots that they cover. The last range has no end, so that
// links are met whose transfer is gone.
func (a *auditor) coveredRange(ctx context.Context, after string) (next string, err error) {
	err = database.Snapshot(ctx, a.s.db, func(tx *gorm.DB) error {
		if err := tx.Raw(scanBoundQuery, after, min(a.rows, auditLinks)-1).Scan(&next).Error; err != nil {
			return err
		}
		next = cmp.Or(next, lastID)
		var links []coveredLink
		if err := tx.Raw(coveredQuery, after, next).Scan(&links).Error; err != nil || len(links) == 0 {
			return err
		}
		covered := make([]chained, len(links))
		for i := range links {
			covered[i] = links[i].Of
		}
		if err := loadChainedLots(tx, covered); err != nil {
			return err
		}
		for i := range links {
			links[i].Of = covered[i]
			a.checkCovered(&links[i])
		}
		a.state.Counts.Links += int64(len(links))
		return nil
	})
	return next, err
}

func (a *auditor) checkCovered(l *coveredLink) {
	var note string
	switch t := &l.Of; {
	case t.ID == "":
		note = "its transfer is gone"
	case t.JKind == "":
		note = "its journal row is gone"
	case l.Encoding != linkEncoding:
		note = "its encoding is unknown to this version"
	case chainOf(t.DebitAccountID, t.CreditAccountID) != l.AccountID:
		note = "its transfer is another account's"
	case linkHash(l.AccountID, l.Seq, l.PrevHash, t) != l.Hash:
		note = "the transfer, its journal row or its lots are not what was linked"
	default:
		return
	}
	d := Difference{Check: checkCovered, Object: l.AccountID, Account: AccountID(l.AccountID), Seq: l.Seq, Note: note}
	// The first difference of a chain is enough: a changed lot is in many links.
	if !slices.ContainsFunc(a.state.Differences, func(o Difference) bool { return o.Check == d.Check && o.Account == d.Account }) {
		a.found(d)
	}
}

func newestSeal(tx *gorm.DB) (seal model.Seal, err error) {
	err = tx.Raw(`SELECT * FROM seal ORDER BY number DESC LIMIT 1`).Scan(&seal).Error
	return seal, err
}

// subtree recomputes the next part of the newest seal's tree: its buckets from
// the leaves, its nodes from the buckets.
func (a *auditor) subtree(ctx context.Context, after string) (next string, err error) {
	part := int64(0)
	if after != "" {
		if part, err = strconv.ParseInt(after, 10, 64); err != nil {
			return "", fmt.Errorf("malformed state: %w", err)
		}
	}
	if part+1 < auditSubtrees {
		next = strconv.FormatInt(part+1, 10)
	}
	a.state.Counts.Parts++
	return next, database.Snapshot(ctx, a.s.db, func(tx *gorm.DB) error {
		seal, err := newestSeal(tx)
		if err != nil || seal.Number == 0 {
			return err
		}
		nodes, err := readSubtree(tx, subtreeLevel, treeDepth, part, seal.Number)
		if err != nil {
			return err
		}
		width := int64(bucketCount / auditSubtrees)
		if err := a.auditBuckets(tx, seal, nodes[treeDepth], part*width, (part+1)*width); err != nil {
			return err
		}
		return a.auditNodes(tx, seal, nodes, subtreeLevel, treeDepth)
	})
}

// treeTop recomputes the upper half of the tree, and compares the root.
func (a *auditor) treeTop(ctx context.Context, _ string) (string, error) {
	return "", database.Snapshot(ctx, a.s.db, func(tx *gorm.DB) error {
		seal, err := newestSeal(tx)
		if err != nil || seal.Number == 0 {
			return err
		}
		nodes, err := readSubtree(tx, 0, subtreeLevel, 0, seal.Number)
		if err != nil {
			return err
		}
		if err := a.auditNodes(tx, seal, nodes, 0, subtreeLevel); err != nil {
			return err
		}
		if nodes[0].at(0) != seal.Root {
			a.found(Difference{Check: checkNode, Object: fmt.Sprintf("seal %d", seal.Number), Note: "its root is not that of the tree"})
		}
		d, err := runCheck(tx, "seal counts its accounts", `SELECT CONCAT('seal ', s.number) AS object, '' AS account, s.wallet_count AS want, l.n AS got
			FROM seal s JOIN (SELECT COUNT(DISTINCT account_id) AS n FROM seal_leaf WHERE seal_number <= ?) l
			ON s.number = ? AND s.wallet_count <> l.n`, seal.Number, seal.Number)
		a.found(d...)
		return err
	})
}

// levelNodes are nodes of one level; those that are not stored are empty.
type levelNodes struct {
	level  int
	hashes map[int64]string
}

func (n levelNodes) at(position int64) string {
	if h := n.hashes[position]; h != "" {
		return h
	}
	return emptyNodes[n.level]
}

// subtreeQuery reads a range of positions in each of some levels.
func subtreeQuery(levels int) string {
	return `SELECT level, position, seal_number, hash FROM seal_node WHERE (` +
		strings.TrimPrefix(strings.Repeat(` OR (level = ? AND position >= ? AND position < ?)`, levels), " OR ") +
		`) AND seal_number <= ? ORDER BY level, position, seal_number`
}

// readSubtree reads the stored nodes of the levels from top to bottom that are
// under the node at position of level top: at most 8,191 of them.
func readSubtree(tx *gorm.DB, top, bottom int, position, number int64) (map[int]levelNodes, error) {
	out := map[int]levelNodes{}
	var args []any
	for level := top; level <= bottom; level++ {
		width := int64(1) << (level - top)
		args = append(args, level, position*width, (position+1)*width)
		out[level] = levelNodes{level: level, hashes: map[int64]string{}}
	}
	// One row at a time: every night may have added a version of each.
	rows, err := tx.Raw(subtreeQuery(len(out)), append(args, number)...).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err is asked
	for rows.Next() {
		var (
			level             int
			position, version int64
			hash              string
		)
		if err := rows.Scan(&level, &position, &version, &hash); err != nil {
			return nil, err
		}
		out[level].hashes[position] = hash // the last version comes last
	}
	return out, rows.Err()
}

// auditNodes compares each node from level top to the one above bottom with
// its two children.
func (a *auditor) auditNodes(tx *gorm.DB, seal model.Seal, nodes map[int]levelNodes, top, bottom int) error {
	for level := bottom - 1; level >= top; level-- {
		// Only a node that is stored, or has a child that is, can be wrong.
		here := map[int64]bool{}
		for p := range nodes[level].hashes {
			here[p] = true
		}
		for p := range nodes[level+1].hashes {
			here[p/2] = true
		}
		for _, p := range sortedNumbers(here) {
			if nodeHash(nodes[level+1].at(2*p), nodes[level+1].at(2*p+1)) == nodes[level].at(p) {
				continue
			}
			if err := a.wrongNode(tx, seal, level, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// auditBuckets compares the buckets from first up to end with their leaves,
// which it reads one bucket at a time.
func (a *auditor) auditBuckets(tx *gorm.DB, seal model.Seal, stored levelNodes, first, end int64) error {
	rows, err := tx.Raw(`SELECT account_id, seal_number, bucket, seq, head FROM seal_leaf
		WHERE bucket >= ? AND bucket < ? AND seal_number <= ? ORDER BY bucket, account_id, seal_number`, first, end, seal.Number).Rows()
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // rows.Err is asked
	var (
		wrong  = map[int64]bool{}
		leaves []model.SealLeaf // of one bucket
	)
	for p := range stored.hashes {
		wrong[p] = true // until its leaves have been met
	}
	closeBucket := func() {
		if len(leaves) == 0 {
			return
		}
		b := leaves[0].Bucket
		if delete(wrong, b); bucketHash((leavesByBucket{b: leaves}).entries(b)) != stored.at(b) {
			wrong[b] = true
		}
		leaves = leaves[:0]
	}
	for rows.Next() {
		var l model.SealLeaf
		if err := rows.Scan(&l.AccountID, &l.SealNumber, &l.Bucket, &l.Seq, &l.Head); err != nil {
			return err
		}
		if len(leaves) > 0 && leaves[0].Bucket != l.Bucket {
			closeBucket()
		}
		if n := len(leaves); n > 0 && leaves[n-1].AccountID == l.AccountID {
			leaves[n-1] = l // a later version
			continue
		}
		leaves = append(leaves, l)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	closeBucket()
	for _, b := range sortedNumbers(wrong) {
		if err := a.wrongNode(tx, seal, treeDepth, b); err != nil {
			return err
		}
	}
	return nil
}

// wrongNode reports a node and, since a node has no owner, the first account
// whose proof runs through it. It names no Account to freeze: nobody's points
// are in doubt.
func (a *auditor) wrongNode(tx *gorm.DB, seal model.Seal, level int, position int64) error {
	width := int64(1) << (treeDepth - level)
	var first model.SealLeaf
	err := tx.Raw(`SELECT account_id, seq FROM seal_leaf WHERE bucket >= ? AND bucket < ? AND seal_number <= ?
		ORDER BY bucket, account_id, seal_number DESC LIMIT 1`, position*width, (position+1)*width, seal.Number).Scan(&first).Error
	if err != nil {
		return err
	}
	d := Difference{
		Check: checkNode, Object: first.AccountID, Seq: first.Seq,
		Note: fmt.Sprintf("node %d/%d of seal %d, through which this account's proof runs", level, position, seal.Number),
	}
	if first.AccountID == "" {
		d.Object, d.Note = fmt.Sprintf("seal %d", seal.Number), fmt.Sprintf("node %d/%d, without an account below it", level, position)
	}
	a.found(d)
	return nil
}

// auditSeals is how many seals one range has: more than a year.
const auditSeals = 500

// sealRange checks that each seal continues the one before.
func (a *auditor) sealRange(ctx context.Context, after string) (next string, err error) {
	number := int64(0)
	if after != "" {
		if number, err = strconv.ParseInt(after, 10, 64); err != nil {
			return "", fmt.Errorf("malformed state: %w", err)
		}
	}
	db := a.s.db.Read(ctx)
	before := model.Seal{Root: emptyNodes[0], Hash: genesis}
	if number > 0 {
		if err := db.Raw(`SELECT * FROM seal WHERE number = ?`, number).Scan(&before).Error; err != nil {
			return "", err
		}
	}
	var seals []model.Seal
	if err := db.Raw(`SELECT * FROM seal WHERE number > ? ORDER BY number LIMIT ?`, number, auditSeals).Scan(&seals).Error; err != nil {
		return "", err
	}
	for _, m := range seals {
		note := ""
		switch {
		case m.Number != before.Number+1:
			note = fmt.Sprintf("seal %d is missing", before.Number+1)
		case m.PreviousHash != before.Hash || m.PreviousRoot != before.Root:
			note = "it does not follow from the seal before"
		case m.LinkBatch < before.LinkBatch || m.WalletCount < before.WalletCount || m.Day <= before.Day:
			note = "it goes behind the seal before"
		case sealHash(factsOf(m)) != m.Hash:
			note = "its hash does not cover it"
		}
		if note != "" {
			a.found(Difference{Check: checkSeal, Object: fmt.Sprintf("seal %d", m.Number), Note: note})
		}
		before = m
	}
	a.state.Counts.Seals += int64(len(seals))
	if len(seals) == auditSeals {
		next = strconv.FormatInt(before.Number, 10)
	}
	return next, nil
}
