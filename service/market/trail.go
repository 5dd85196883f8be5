package market

import (
	"jiamenkou/internal/authz"
	"jiamenkou/service/identity"
)

// What staff change is in the audit log, for the auditors of the merchant's
// region; a benefit's for those of the region that it is offered to.

func merchantEntry(actor authz.Actor, m Merchant, action, reason string, detail any) identity.AuditEntry {
	return identity.AuditEntry{
		Actor: actor, Action: action, ObjectType: "merchant", ObjectID: m.ID, RegionID: m.RegionID, Reason: reason, Detail: detail,
	}
}

func merchantChanges(old, now Merchant) (c identity.Changes) {
	c.Compare("name", old.Name, now.Name)
	c.Compare("category", old.Category, now.Category)
	c.Compare("contact_name", old.ContactName, now.ContactName)
	c.Compare("contact_phone", old.ContactPhone, now.ContactPhone)
	return c
}

func storeEntry(actor authz.Actor, m scope, st Store, action, reason string, detail any) identity.AuditEntry {
	return identity.AuditEntry{
		Actor: actor, Action: action, ObjectType: "store", ObjectID: st.ID, RegionID: m.RegionID, Reason: reason, Detail: detail,
	}
}

func storeChanges(old, now Store) (c identity.Changes) {
	c.Compare("name", old.Name, now.Name)
	c.Compare("address", old.Address, now.Address)
	c.Compare("lon", old.Lon, now.Lon)
	c.Compare("lat", old.Lat, now.Lat)
	return c
}

func benefitEntry(actor authz.Actor, b Benefit, action, reason string, detail any) identity.AuditEntry {
	return identity.AuditEntry{
		Actor: actor, Action: action, ObjectType: "benefit", ObjectID: b.ID, RegionID: b.RegionID, Reason: reason, Detail: detail,
	}
}

func benefitChanges(old, now Benefit) (c identity.Changes) {
	c.Compare("region_id", old.RegionID, now.RegionID)
	c.Compare("title", old.Title, now.Title)
	c.Compare("description", old.Description, now.Description)
	c.Compare("category", old.Category, now.Category)
	c.Mention("image_key", old.ImageKey != now.ImageKey)
	c.Compare("points_price", old.PointsPrice, now.PointsPrice)
	c.Compare("cash_price_fen", old.CashPriceFen, now.CashPriceFen)
	c.Compare("original_price_fen", old.OriginalPriceFen, now.OriginalPriceFen)
	c.Compare("subsidy_fen", old.SubsidyFen, now.SubsidyFen)
	c.Compare("per_person_limit", old.PerPersonLimit, now.PerPersonLimit)
	c.Compare("redeem_days", old.RedeemDays, now.RedeemDays)
	c.Compare("redeem_until", old.RedeemUntil, now.RedeemUntil)
	c.Compare("valid_from", old.ValidFrom, now.ValidFrom)
	c.Compare("valid_until", old.ValidUntil, now.ValidUntil)
	return c
}

// releaseDetail is what the audit log keeps of a release of stock.
type releaseDetail struct {
	Total    int64  `json:"total"`
	StartsAt string `json:"starts_at"`
	EndsAt   string `json:"ends_at"`
}
