package model

import "jiamenkou/internal/clock"

// WalletLink is one link of an account's chain: its Hash covers a transfer,
// its journal row and the link before. Append only.
type WalletLink struct {
	AccountID  string `gorm:"primaryKey"`
	Seq        int64  `gorm:"primaryKey;autoIncrement:false"` // 1 for the first
	TransferID string
	BatchNo    int64 // grows with each transaction of the sealer
	Encoding   int64 // the version of what Hash covers
	PrevHash   string
	Hash       string        // SHA-256, hex
	CreatedAt  clock.Instant `gorm:"autoCreateTime:false"`
}

// Seal is the published state of all chains on one day. Append only.
type Seal struct {
	ID           string `gorm:"primaryKey"`
	Number       int64  // 1 for the first
	Day          clock.Day
	Root         string // of the Merkle tree over the heads of all chains
	WalletCount  int64  // leaves of the tree
	LinkBatch    int64  // the last batch of links that is under Root
	PreviousRoot string
	PreviousHash string
	Hash         string        // over all of the above but ID
	CreatedAt    clock.Instant `gorm:"autoCreateTime:false"`
}

// SealLeaf is the head of an account's chain as a seal saw it.
type SealLeaf struct {
	AccountID  string `gorm:"primaryKey"`
	SealNumber int64  `gorm:"primaryKey;autoIncrement:false"`
	Bucket     int64
	Seq        int64
	Head       string
}

// SealNode is a node of the Merkle tree that a seal changed.
type SealNode struct {
	Level      int64 `gorm:"primaryKey;autoIncrement:false"` // 0 is the root
	Position   int64 `gorm:"primaryKey;autoIncrement:false"`
	SealNumber int64 `gorm:"primaryKey;autoIncrement:false"`
	Hash       string
}

// SealState is the one row that says how far the sealer is.
type SealState struct {
	ID            int64         `gorm:"primaryKey;autoIncrement:false"` // 1
	LinkBatch     int64         // the last batch of links
	LinkedUntil   clock.Instant // when the last complete pass over the recent transfers began
	RelinkedUntil clock.Instant // when the last complete pass over all transfers began
	Holder        string        // who makes a seal just now
	HeldUntil     clock.Instant
}
