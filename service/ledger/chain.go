package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"jiamenkou/internal/clock"
	"jiamenkou/model"
)

// Every account has a chain: one link for each of its transfers, numbered from
// 1, whose hash covers the transfer, the event behind it and the link before.
// Whoever changes, adds or removes a stored transfer breaks the chain at that
// number. A transfer belongs to one chain, that of the account with the lower
// id: the wallet's if there is one (ids begin with the account's heat), else
// the merchant's.

// linkEncoding is the version of what a link's hash covers. A change of the
// encoding is a new version; links keep theirs.
const linkEncoding = 1

// genesis is the hash before the first link of a chain and before the first
// seal.
const genesis = "0000000000000000000000000000000000000000000000000000000000000000"

// chainOf returns the account in whose chain a transfer is.
func chainOf(debit, credit string) string { return min(debit, credit) }

// canon is SHA-256 over fields, each with its length before it, so that no two
// lists of fields run together.
type canon struct {
	hash.Hash
	buf [8]byte
}

// newCanon begins a hash of its own domain: hashes of different purposes never
// agree.
func newCanon(domain string) *canon {
	c := &canon{Hash: sha256.New()}
	c.text(domain)
	return c
}

func (c *canon) text(s string) {
	binary.BigEndian.PutUint64(c.buf[:], uint64(len(s)))
	c.Write(c.buf[:])
	c.Write([]byte(s))
}

func (c *canon) number(n int64) {
	binary.BigEndian.PutUint64(c.buf[:], 8)
	c.Write(c.buf[:])
	binary.BigEndian.PutUint64(c.buf[:], uint64(n)) //nolint:gosec // two's complement, every value its own
	c.Write(c.buf[:])
}

// optionalText tells NULL from "": one field for whether there is a value, and
// one for the value.
func (c *canon) optionalText(s *string) {
	if s == nil {
		c.text("-")
		return
	}
	c.text("+")
	c.text(*s)
}

func (c *canon) optionalNumber(n *int64) {
	if n == nil {
		c.text("-")
		return
	}
	c.text("+")
	c.number(*n)
}

func (c *canon) hex() string { return hex.EncodeToString(c.Sum(nil)) }

// chained is everything that a link covers. The journal's columns carry a
// prefix, since both tables have an id and a time.
type chained struct {
	ID              string
	JournalID       string
	DebitAccountID  string
	CreditAccountID string
	Amount          int64
	HoldID          *string
	ReversesID      *string
	CreatedAt       clock.Instant

	JKind           model.JournalKind
	JSourceType     string
	JSourceID       string
	JActorID        string
	JIdempotencyKey *string
	JInputHash      string
	JReason         string
	JRuleID         *string
	JRuleVersion    *int64
	JEvidence       string
	JEffectiveAt    clock.Instant
	JCreatedAt      clock.Instant

	lots []chainedLot // by lot id
}

// chainedLot is what the transfer gave to or took from a lot.
type chainedLot struct {
	TransferID string
	LotID      string
	ExpiresOn  clock.Day
	Amount     int64
}

// chainedColumns select a chained from transfer t and journal j.
const chainedColumns = `t.id, t.journal_id, t.debit_account_id, t.credit_account_id, t.amount, t.hold_id, t.reverses_id, t.created_at,
	j.kind AS j_kind, j.source_type AS j_source_type, j.source_id AS j_source_id, j.actor_id AS j_actor_id,
	j.idempotency_key AS j_idempotency_key, j.input_hash AS j_input_hash, j.reason AS j_reason, j.rule_id AS j_rule_id,
	j.rule_version AS j_rule_version, j.evidence AS j_evidence, j.effective_at AS j_effective_at, j.created_at AS j_created_at`

// linkHash is the hash of a link in encoding 1.
func linkHash(account string, seq int64, prev string, t *chained) string {
	c := newCanon("jiamenkou ledger link 1")
	c.text(account)
	c.number(seq)
	c.text(prev)

	c.text(t.ID)
	c.text(t.JournalID)
	c.text(t.DebitAccountID)
	c.text(t.CreditAccountID)
	c.number(t.Amount)
	c.optionalText(t.HoldID)
	c.optionalText(t.ReversesID)
	c.number(int64(t.CreatedAt))

	c.text(string(t.JKind))
	c.text(t.JSourceType)
	c.text(t.JSourceID)
	c.text(t.JActorID)
	c.optionalText(t.JIdempotencyKey)
	c.text(t.JInputHash)
	c.text(t.JReason)
	c.optionalText(t.JRuleID)
	c.optionalNumber(t.JRuleVersion)
	c.text(t.JEvidence)
	c.number(int64(t.JEffectiveAt))
	c.number(int64(t.JCreatedAt))

	c.number(int64(len(t.lots)))
	for _, l := range t.lots {
		c.text(l.LotID)
		c.text(string(l.ExpiresOn))
		c.number(l.Amount)
	}
	return c.hex()
}

// lotsQuery finds what transfers gave to lots.
const lotsQuery = `SELECT e.transfer_id, e.lot_id, l.expires_on, e.amount FROM lot_entry e JOIN lot l ON l.id = e.lot_id
	WHERE e.transfer_id IN ? ORDER BY e.transfer_id, e.lot_id`
