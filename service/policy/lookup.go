package policy

import (
	"context"
	"fmt"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/paging"
)

// Named is a budget by its id.
type Named struct{ ID, Name string }

// BudgetsKnown names the budgets of the actor's regions among the ids (at most a
// page of them), for those who show who did what to them.
func (s *Service) BudgetsKnown(ctx context.Context, actor authz.Actor, ids []string) (rows []Named, err error) {
	if err := s.scoped(ctx, actor, "budget").Where("x.id IN ?", ids).Limit(paging.MaxLimit).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("policy: budgets by id: %w", err)
	}
	return rows, nil
}

// RulesKnown returns the rules of the actor's regions among the ids (at most a
// page of them), as BudgetsKnown.
func (s *Service) RulesKnown(ctx context.Context, actor authz.Actor, ids []string) (rows []Rule, err error) {
	if err := s.scoped(ctx, actor, "policy_rule").Where("x.id IN ?", ids).Limit(paging.MaxLimit).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("policy: rules by id: %w", err)
	}
	return rows, nil
}
