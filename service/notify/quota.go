package notify

import (
	"context"
	"fmt"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
)

// MaxTemplates is how many templates one wx.requestSubscribeMessage asks for
// at most.
//
// https://developers.weixin.qq.com/miniprogram/dev/api/open-api/subscribe-message/wx.requestSubscribeMessage.html
const MaxTemplates = 5

// Subscription is one template and what the resident allows on it.
type Subscription struct {
	TemplateID string
	Labels     []string // of the topics that use it
	Topics     []string
	Remaining  int64 // messages that may still be sent
}

// Subscriptions is where a resident stands.
type Subscriptions struct {
	Consenting bool // to the purpose notifications, without which nothing is sent
	Items      []Subscription
}

// Template is one topic that WeChat can push.
type Template struct {
	Topic, Label, TemplateID string
}

// Templates lists the topics that have a template, for the call of
// wx.requestSubscribeMessage at the moment when a resident will want to know.
func (s *Service) Templates() []Template {
	out := []Template{}
	for _, name := range topicNames() {
		if t, ok := s.templates[name]; ok {
			out = append(out, Template{Topic: name, Label: topics[name].label, TemplateID: t.id})
		}
	}
	return out
}

// Subscriptions lists the templates that are in use, for the call of
// wx.requestSubscribeMessage, and the consents left on each.
func (s *Service) Subscriptions(ctx context.Context, actor authz.Actor) (out Subscriptions, err error) {
	if err := actor.Resident(); err != nil {
		return out, err
	}
	var quotas []model.SubscribeQuota
	if err := s.db.Read(ctx).Raw("SELECT * FROM subscribe_quota WHERE resident_id = ?", actor.ID).Scan(&quotas).Error; err != nil {
		return out, fmt.Errorf("notify: read quotas: %w", err)
	}
	var agrees int64
	err = s.db.Read(ctx).Raw("SELECT COUNT(*) FROM consent WHERE resident_id = ? AND purpose = ? AND status = ?",
		actor.ID, model.ConsentNotifications, model.ConsentGranted).Scan(&agrees).Error
	if err != nil {
		return out, fmt.Errorf("notify: read consent: %w", err)
	}
	out.Consenting = agrees > 0
	for _, name := range topicNames() {
		t, ok := s.templates[name]
		if !ok {
			continue
		}
		i := slices.IndexFunc(out.Items, func(x Subscription) bool { return x.TemplateID == t.id })
		if i < 0 {
			i = len(out.Items)
			out.Items = append(out.Items, Subscription{TemplateID: t.id})
			for _, q := range quotas {
				if q.TemplateID == t.id {
					out.Items[i].Remaining = q.Remaining
				}
			}
		}
		out.Items[i].Topics = append(out.Items[i].Topics, name)
		out.Items[i].Labels = append(out.Items[i].Labels, topics[name].label)
	}
	return out, nil
}

// Subscribe records which templates the resident has just accepted in WeChat's
// dialogue: one more message on each, up to Config.MaxQuota. It is the
// client's word; WeChat refuses a message beyond the true number, which sets
// the count to zero. Errors: ErrUnknownTemplate, notify.invalid.
func (s *Service) Subscribe(ctx context.Context, actor authz.Actor, templateIDs []string) (Subscriptions, error) {
	if err := actor.Resident(); err != nil {
		return Subscriptions{}, err
	}
	ids := slices.Compact(slices.Sorted(slices.Values(templateIDs)))
	var f fault.Fields
	f.Add(len(ids) >= 1 && len(templateIDs) <= MaxTemplates, "template_ids", fmt.Sprintf("应为 1 到 %d 个模板", MaxTemplates))
	if err := f.Err(codeInput); err != nil {
		return Subscriptions{}, err
	}
	for _, id := range ids {
		if !s.inUse(id) {
			return Subscriptions{}, ErrUnknownTemplate
		}
	}
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		var status model.ResidentStatus
		err := tx.Raw("SELECT status FROM resident WHERE id = ?"+database.ForUpdate(tx), actor.ID).Scan(&status).Error
		if err != nil {
			return fmt.Errorf("notify: lock resident: %w", err)
		}
		if status == "" || status == model.ResidentDeleted {
			return ErrAccountGone
		}
		now := s.now()
		rows := make([]model.SubscribeQuota, len(ids))
		for i, id := range ids {
			rows[i] = model.SubscribeQuota{ResidentID: actor.ID, TemplateID: id, Remaining: 1, UpdatedAt: now}
		}
		most := gorm.Expr("CASE WHEN subscribe_quota.remaining < ? THEN subscribe_quota.remaining + 1 ELSE subscribe_quota.remaining END", s.cfg.MaxQuota)
		err = tx.Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "resident_id"}, {Name: "template_id"}},
			DoUpdates: clause.Set{{Column: clause.Column{Name: "remaining"}, Value: most}, {Column: clause.Column{Name: "updated_at"}, Value: now}},
		}).Create(&rows).Error
		if err != nil {
			return fmt.Errorf("notify: add quota: %w", err)
		}
		return nil
	})
	if err != nil {
		return Subscriptions{}, err
	}
	return s.Subscriptions(ctx, actor)
}

func (s *Service) inUse(templateID string) bool {
	for _, t := range s.templates {
		if t.id == templateID {
			return true
		}
	}
	return false
}
