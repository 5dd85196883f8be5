package api

import (
	"context"
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/httpapi"
	"jiamenkou/service/identity"
	"jiamenkou/service/ledger"
)

type sealDTO struct {
	Number       int64     `json:"number" doc:"第几次封存"`
	Day          string    `json:"day" format:"date"`
	Root         string    `json:"root" doc:"所有账户的根散列"`
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

type listSealsInput struct{ httpapi.SortedQuery }

func (s *server) listSeals(ctx context.Context, in *listSealsInput) (*httpapi.Body[httpapi.PageBody[sealDTO]], error) {
	return httpapi.Listed(sealOf)(s.Ledger.Seals(ctx, in.Request()))
}

type walletProofInput struct {
	ID string `path:"id" minLength:"26" maxLength:"26"`
}

// getWalletProof gives an auditor the proof of a resident of the own region;
// anybody else's is not there.
func (s *server) getWalletProof(ctx context.Context, in *walletProofInput) (*httpapi.Body[ledger.Proof], error) {
	views, err := s.Identity.Residents(ctx, []string{in.ID})
	if err != nil {
		return nil, err
	}
	view, ok := views[in.ID]
	if !ok || authz.FromContext(ctx).InRegion(view.HomeRegionPath, authz.RoleAuditor) != nil {
		return nil, identity.ErrResidentUnknown
	}
	proof, err := s.Ledger.Prove(ctx, ledger.WalletOf(in.ID))
	if err != nil {
		return nil, err
	}
	return httpapi.OK(proof), nil
}
