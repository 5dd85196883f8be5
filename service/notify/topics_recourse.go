package notify

import (
	"context"
	"fmt"

	"jiamenkou/model"
)

// The topics of service/recourse, which stands in the same group.
const (
	topicAdjusted = "recourse.adjustment_posted"
	topicAnswered = "recourse.objection_answered"
)

// renderAdjusted: the object is the adjustment.
func renderAdjusted(ctx context.Context, s *Service, n *Notice) (rendered, error) {
	a, err := one[model.Adjustment](ctx, s, "SELECT * FROM adjustment WHERE id = ?", n.ObjectID)
	if err != nil {
		return rendered{}, err
	}
	what := map[model.AdjustmentKind]string{
		model.AdjustmentCredit: "补发", model.AdjustmentDebit: "扣减", model.AdjustmentReverse: "撤销",
	}[a.Kind]
	return rendered{only: a.ResidentID, text: text{
		title: "积分已调整",
		body:  fmt.Sprintf("%s %d 积分，原因和审批人请看明细。有疑问可以提出异议。", what, a.Amount),
		link:  "/wallet",
	}}, nil
}

// renderAnswered: the object is the objection.
func renderAnswered(ctx context.Context, s *Service, n *Notice) (rendered, error) {
	o, err := one[model.Objection](ctx, s, "SELECT * FROM objection WHERE id = ?", n.ObjectID)
	if err != nil {
		return rendered{}, err
	}
	return rendered{only: o.ResidentID, text: text{
		title: "您的异议已答复", body: "运营人员已答复您对积分明细的异议，请查看。", link: "/wallet",
	}}, nil
}
