package miniprogram

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/internal/paging"
	"jiamenkou/service/ledger"
)

type sealDTO struct {
	Number       int64     `json:"number" doc:"第几次封存"`
	Day          string    `json:"day" format:"date"`
	Root         string    `json:"root" doc:"所有账户的根散列，请留存比对"`
	WalletCount  int64     `json:"wallet_count" doc:"封存的账户数"`
	LinkBatch    int64     `json:"link_batch" doc:"封存到第几批记账"`
	PreviousRoot string    `json:"previous_root"`
	PreviousHash string    `json:"previous_hash" doc:"上一次封存的散列"`
	Hash         string    `json:"hash" doc:"本次封存的散列，包含上一次的散列"`
	CreatedAt    time.Time `json:"created_at"`
}

func sealOf(s ledger.Sealed) sealDTO {
	return sealDTO{
		Number: s.Number, Day: s.Day, Root: s.Root, WalletCount: s.WalletCount, LinkBatch: s.LinkBatch,
		PreviousRoot: s.PreviousRoot, PreviousHash: s.PreviousHash, Hash: s.Hash, CreatedAt: s.CreatedAt.Time(),
	}
}

type listSealsInput struct{ httpapi.PageQuery }

// listSeals publishes the roots: whoever keeps one can later show that the
// books were changed behind it.
func (s *server) listSeals(ctx context.Context, in *listSealsInput) (*httpapi.Body[httpapi.PageBody[sealDTO]], error) {
	page, err := s.Ledger.Seals(ctx, paging.Request{Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return httpapi.OK(httpapi.PageOf(page, sealOf)), nil
}

// getWalletProof answers with the proof as it is: the same document is what
// `jiamenkou verify-proof` reads.
func (s *server) getWalletProof(ctx context.Context, _ *struct{}) (*httpapi.Body[ledger.Proof], error) {
	proof, err := s.Ledger.Prove(ctx, ledger.WalletOf(authz.FromContext(ctx).ID))
	if err != nil {
		return nil, err
	}
	return httpapi.OK(proof), nil
}
