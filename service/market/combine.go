package market

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"jiamenkou/internal/batch"
	"jiamenkou/internal/database"
)

// errNothingPlaced gives up a transaction in which every item was refused or a
// replay: there is nothing to commit.
var errNothingPlaced = errors.New("market: nothing placed")

// placeBatch is what the combiner of orders runs: one transaction for all who
// ordered at the same time.
func (s *Service) placeBatch(ctx context.Context, items []orderItem) ([]batch.Result[Placed], error) {
	out := make([]batch.Result[Placed], len(items))
	var (
		asked []orderItem
		place []int // index of the item of each
	)
	benefits := map[string]bool{}
	for i, item := range items {
		// What was sold out while the item waited need not be asked again.
		if s.soldOut.refuses(item) {
			out[i].Err = ErrSoldOut
			continue
		}
		asked, place = append(asked, item), append(place, i)
		benefits[item.BenefitID] = true
	}
	if len(asked) == 0 {
		return out, nil
	}
	at := s.soldOut.before(sortedKeys(benefits))
	p, err := s.place(ctx, asked)
	if err != nil {
		return nil, err
	}
	s.rememberSoldOut(ctx, at, p.soldOutNow())
	for n, r := range p.results {
		out[place[n]] = batch.Result[Placed]{Value: r.Placed, Err: r.Err}
	}
	return out, nil
}

// place is placeTx in a transaction of its own, and placeAgainTx in another if
// it must be.
func (s *Service) place(ctx context.Context, items []orderItem) (p *placing, err error) {
	for _, placeTx := range []func(context.Context, *gorm.DB, []orderItem) (*placing, error){s.placeTx, s.placeAgainTx} {
		err = database.InTx(ctx, s.db, func(tx *gorm.DB) (err error) {
			if p, err = placeTx(ctx, tx, items); err == nil && len(p.winners) == 0 {
				err = errNothingPlaced
			}
			return err
		})
		if !errors.Is(err, errAnsweredBefore) {
			break
		}
	}
	if errors.Is(err, errNothingPlaced) {
		err = nil
	}
	return p, err
}

// soldOutNow lists the benefits of which an item found no stock left.
func (p *placing) soldOutNow() (gone []*onOffer) {
	seen := map[string]bool{}
	for i, r := range p.results {
		if id := p.items[i].BenefitID; errors.Is(r.Err, ErrSoldOut) && !seen[id] {
			seen[id] = true
			gone = append(gone, p.benefits[id])
		}
	}
	return gone
}

// Close waits until every order that was taken on is answered; later ones are
// refused. When ctx ends first it returns an error.
func (s *Service) Close(ctx context.Context) error { return s.orders.Close(ctx) }

// Stats counts what ordering did since the start.
type Stats struct {
	Orders  batch.Stats
	SoldOut int64 // refused from memory
}

// Stats returns the counts.
func (s *Service) Stats() Stats {
	s.soldOut.mu.Lock()
	defer s.soldOut.mu.Unlock()
	return Stats{Orders: s.orders.Stats(), SoldOut: s.soldOut.refused}
}
