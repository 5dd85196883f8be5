package identity_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/clock"
	"jiamenkou/service/identity"
)

func TestChanges(t *testing.T) {
	t.Run("name what differs, as text", func(t *testing.T) {
		at := clock.InstantOf(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
		days := int64(7)
		var c identity.Changes
		c.Compare("name", "影院", "影院")
		c.Compare("name", "影院", "大影院")
		c.Compare("points", int64(5), int64(6))
		c.Compare("redeem_days", (*int64)(nil), &days)
		c.Compare("redeem_until", &at, (*clock.Instant)(nil))
		c.Compare("valid_from", at, at.Add(time.Hour))
		require.Equal(t, []identity.Change{
			{Field: "name", From: "影院", To: "大影院"},
			{Field: "points", From: "5", To: "6"},
			{Field: "redeem_days", To: "7"},
			{Field: "redeem_until", From: "2026-03-01T08:00:00+08:00"},
			{Field: "valid_from", From: "2026-03-01T08:00:00+08:00", To: "2026-03-01T09:00:00+08:00"},
		}, c.Changes)
	})
	t.Run("say of what is not copied only that it changed", func(t *testing.T) {
		var c identity.Changes
		c.Mention("contact_phone", false)
		c.Mention("body", true)
		raw, err := json.Marshal(c)
		require.NoError(t, err)
		require.JSONEq(t, `{"changes":[{"field":"body"}]}`, string(raw))
	})
	t.Run("cut long values, but compare them whole", func(t *testing.T) {
		var c identity.Changes
		long := strings.Repeat("长", 200)
		c.Compare("description", long+"甲", long+"乙")
		require.Len(t, c.Changes, 1)
		require.Equal(t, strings.Repeat("长", 100), c.Changes[0].From)
	})
}
