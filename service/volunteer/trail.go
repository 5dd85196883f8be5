package volunteer

import (
	"time"

	"jiamenkou/internal/authz"
	"jiamenkou/model"
	"jiamenkou/service/identity"
)

// activityEntry is a change of an activity for the audit log.
func activityEntry(actor authz.Actor, a model.Activity, action, reason string, detail any) identity.AuditEntry {
	return identity.AuditEntry{
		Actor: actor, Action: action, ObjectType: "activity", ObjectID: a.ID, RegionID: a.RegionID, Reason: reason, Detail: detail,
	}
}

func activityChanges(old, now model.Activity) (c identity.Changes) {
	c.Compare("title", old.Title, now.Title)
	c.Compare("content", old.Content, now.Content)
	c.Compare("category", old.Category, now.Category)
	c.Compare("beneficiary", old.Beneficiary, now.Beneficiary)
	c.Compare("place_name", old.PlaceName, now.PlaceName)
	c.Compare("lon", old.Lon, now.Lon)
	c.Compare("lat", old.Lat, now.Lat)
	c.Compare("radius_meters", old.RadiusMeters, now.RadiusMeters)
	c.Mention("contact_name", old.ContactName != now.ContactName) // a person
	c.Mention("contact_phone", old.ContactPhone != now.ContactPhone)
	return c
}

// shiftEntry is a change of a shift for the audit log.
func shiftEntry(actor authz.Actor, a model.Activity, shiftID, action, reason string, detail any) identity.AuditEntry {
	return identity.AuditEntry{
		Actor: actor, Action: action, ObjectType: "shift", ObjectID: shiftID, RegionID: a.RegionID, Reason: reason, Detail: detail,
	}
}

// shiftsDetail is what the audit log keeps of shifts that were added.
type shiftsDetail struct {
	Shifts  int    `json:"shifts"`
	FirstAt string `json:"first_at,omitempty"`
}

func addedShifts(in []ShiftInput) shiftsDetail {
	if len(in) == 0 {
		return shiftsDetail{}
	}
	first := in[0].StartsAt
	for _, x := range in {
		first = min(first, x.StartsAt)
	}
	return shiftsDetail{Shifts: len(in), FirstAt: first.Time().Format(time.RFC3339)}
}

func shiftChanges(old shiftRow, capacity int64, now ShiftInput) (c identity.Changes) {
	c.Compare("starts_at", old.StartsAt, now.StartsAt)
	c.Compare("ends_at", old.EndsAt, now.EndsAt)
	c.Compare("break_minutes", old.BreakMinutes, now.BreakMinutes)
	c.Compare("capacity", capacity, now.Capacity)
	return c
}
