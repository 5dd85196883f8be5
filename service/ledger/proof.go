package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// proofVersion names the format of a proof.
const proofVersion = "jiamenkou-wallet-proof-1"

// Limits of a proof that somebody hands in: a bucket holds 150 accounts where
// ten million have wallets.
const (
	MaxProofBytes    = 4 << 20
	maxBucketEntries = 10_000
	maxAccountBytes  = 64
)

// Proof shows that the head of one account's chain is under the root of a seal
// (or, with Included false, that the account is not). It is a document of its own:
// what GET /mp/v1/wallet/proof answers is what `jiamenkou verify-proof` reads,
// today and in ten years.
type Proof struct {
	Version  string        `json:"version" enum:"jiamenkou-wallet-proof-1"`
	Account  string        `json:"account" doc:"积分账户编号"`
	Included bool          `json:"included" doc:"账户是否在这次封存之内（新账户次日封存）"`
	Seq      int64         `json:"seq" doc:"封存时账户的记账笔数"`
	Head     string        `json:"head" doc:"账户最后一笔记账的散列"`
	Bucket   []BucketEntry `json:"bucket" doc:"同一分组内的全部账户，看不出是谁"`
	Path     []string      `json:"path" doc:"从分组到根的 16 个相邻散列"`
	Seal     SealFacts     `json:"seal"`
}

// SealFacts is what a seal's hash covers.
type SealFacts struct {
	Number       int64  `json:"number" doc:"第几次封存"`
	Day          string `json:"day" format:"date"`
	Root         string `json:"root" doc:"所有账户的根散列"`
	WalletCount  int64  `json:"wallet_count" doc:"封存的账户数"`
	LinkBatch    int64  `json:"link_batch" doc:"封存到第几批记账"`
	PreviousRoot string `json:"previous_root"`
	PreviousHash string `json:"previous_hash" doc:"上一次封存的散列"`
	Hash         string `json:"hash" doc:"本次封存的散列，包含上一次的散列"`
}

// ErrProof is what is wrong with a proof; its text names the place.
var ErrProof = errors.New("proof does not hold")

func proofError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProof, fmt.Sprintf(format, args...))
}

// ReadProof parses a proof, with limits, and verifies it.
func ReadProof(r io.Reader) (Proof, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxProofBytes+1))
	if err != nil {
		return Proof{}, fmt.Errorf("ledger: proof: %w", err)
	}
	if len(text) > MaxProofBytes {
		return Proof{}, proofError("the file is larger than %d bytes", MaxProofBytes)
	}
	return ParseProof(text)
}

// ParseProof parses a proof and verifies it. Unknown fields are refused: they
// would claim what nobody checks.
func ParseProof(text []byte) (Proof, error) {
	var p Proof
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return Proof{}, proofError("not a proof in JSON: %v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Proof{}, proofError("something follows the proof")
	}
	return p, p.Verify()
}

// Verify recomputes the root and the seal's hash from the account's leaf. It
// needs nothing but the proof: that the root is the published one is for the
// reader to compare.
func (p Proof) Verify() error {
	if err := p.checkShape(); err != nil {
		return err
	}
	key := treeKey(p.Account)
	bucket := bucketOf(key)
	for i, e := range p.Bucket {
		switch {
		case !isHash(e.Key) || !isHash(e.Leaf):
			return proofError("entry %d of the bucket is no pair of SHA-256", i+1)
		case bucketOf(e.Key) != bucket:
			return proofError("entry %d is of another bucket", i+1)
		case i > 0 && p.Bucket[i-1].Key >= e.Key:
			return proofError("the entries of the bucket are not in order")
		}
	}
	at := slices.IndexFunc(p.Bucket, func(e BucketEntry) bool { return e.Key == key })
	switch {
	case p.Included && at < 0:
		return proofError("the account is not in its bucket")
	case !p.Included && at >= 0:
		return proofError("the account is in its bucket, though the proof says that it is not")
	case p.Included && p.Bucket[at].Leaf != leafHash(p.Account, p.Seq, p.Head):
		return proofError("the account's leaf is not that of seq %d and this head", p.Seq)
	}
	if root := climb(bucket, bucketHash(p.Bucket), p.Path); root != p.Seal.Root {
		return proofError("the path does not lead to the root")
	}
	if sealHash(p.Seal) != p.Seal.Hash {
		return proofError("the seal's hash does not cover what the seal says")
	}
	return nil
}

// climb recomputes the root from a bucket and its siblings, from below.
func climb(position int64, hash string, siblings []string) string {
	for _, sibling := range siblings {
		if position%2 == 0 {
			hash = nodeHash(hash, sibling)
		} else {
			hash = nodeHash(sibling, hash)
		}
		position /= 2
	}
	return hash
}

func (p Proof) checkShape() error {
	switch {
	case p.Version != proofVersion:
		return proofError("this program reads version %s only", proofVersion)
	case p.Account == "" || len(p.Account) > maxAccountBytes:
		return proofError("it names no account")
	case len(p.Bucket) > maxBucketEntries:
		return proofError("a bucket of more than %d entries", maxBucketEntries)
	case len(p.Path) != treeDepth:
		return proofError("the path has %d steps, want %d", len(p.Path), treeDepth)
	case p.Included && (p.Seq < 1 || !isHash(p.Head)):
		return proofError("an account in the seal has a seq from 1 and a head")
	case !p.Included && (p.Seq != 0 || p.Head != ""):
		return proofError("an account outside the seal has no seq and no head")
	case p.Seal.Number < 1 || p.Seal.WalletCount < 0 || p.Seal.LinkBatch < 0:
		return proofError("the seal's numbers are out of range")
	}
	for name, h := range map[string]string{
		"root": p.Seal.Root, "hash": p.Seal.Hash, "previous_root": p.Seal.PreviousRoot, "previous_hash": p.Seal.PreviousHash,
	} {
		if !isHash(h) {
			return proofError("the seal's %s is no SHA-256", name)
		}
	}
	for i, h := range p.Path {
		if !isHash(h) {
			return proofError("step %d of the path is no SHA-256", i+1)
		}
	}
	return nil
}
