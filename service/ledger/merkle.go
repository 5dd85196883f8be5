package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
)

// The Merkle tree over the heads of all chains has 2^16 buckets at its bottom.
// An account lies in the bucket that the first 16 bits of its key (a hash of
// its id) name, so that the tree has the same shape for ten wallets and ten
// million, a change of one wallet changes 17 nodes, and an account that is not
// in its bucket is not in the tree. Ten million wallets make 150 to a bucket.
// docs/adr/0010-tamper-evidence.md says more.

const (
	treeDepth   = 16
	bucketCount = 1 << treeDepth
)

// treeKey is where an account belongs in the tree: hex, 64 characters. It
// shows nothing of the account's id.
func treeKey(account string) string {
	c := newCanon("jiamenkou seal key 1")
	c.text(account)
	return c.hex()
}

// bucketOf is the number of the bucket of a key.
func bucketOf(key string) int64 {
	b, err := hex.DecodeString(key[:4])
	if err != nil {
		return -1
	}
	return int64(binary.BigEndian.Uint16(b))
}

// leafHash stands for one chain: its account, its length, its head.
func leafHash(account string, seq int64, head string) string {
	c := newCanon("jiamenkou seal leaf 1")
	c.text(account)
	c.number(seq)
	c.text(head)
	return c.hex()
}

// BucketEntry is one account's place in a bucket: Key shows where it belongs,
// Leaf is the hash of its chain's head. Neither shows whose it is.
type BucketEntry struct {
	Key  string `json:"key" minLength:"64" maxLength:"64"`
	Leaf string `json:"leaf" minLength:"64" maxLength:"64"`
}

func sortEntries(entries []BucketEntry) {
	slices.SortFunc(entries, func(a, b BucketEntry) int { return strings.Compare(a.Key, b.Key) })
}

// bucketHash is the hash of a bucket, whose entries are in the order of their
// keys.
func bucketHash(entries []BucketEntry) string {
	c := newCanon("jiamenkou seal bucket 1")
	c.number(int64(len(entries)))
	for _, e := range entries {
		c.text(e.Key)
		c.text(e.Leaf)
	}
	return c.hex()
}

// nodeHash is the hash of a node above the buckets.
func nodeHash(left, right string) string {
	c := newCanon("jiamenkou seal node 1")
	c.text(left)
	c.text(right)
	return c.hex()
}

// emptyNodes are the hashes of subtrees without a leaf, by level: 0 is the
// root. They are not stored.
var emptyNodes = func() (levels [treeDepth + 1]string) {
	levels[treeDepth] = bucketHash(nil)
	for l := treeDepth - 1; l >= 0; l-- {
		levels[l] = nodeHash(levels[l+1], levels[l+1])
	}
	return levels
}()

// sealHash covers a seal and the one before it.
func sealHash(f SealFacts) string {
	c := newCanon("jiamenkou seal 1")
	c.number(f.Number)
	c.text(f.Day)
	c.text(f.Root)
	c.number(f.WalletCount)
	c.number(f.LinkBatch)
	c.text(f.PreviousRoot)
	c.text(f.PreviousHash)
	return c.hex()
}

// isHash reports whether s is a SHA-256 in lower-case hex.
func isHash(s string) bool {
	if len(s) != hex.EncodedLen(sha256.Size) {
		return false
	}
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') {
			return false
		}
	}
	return true
}
