package notify_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/paging"
	"jiamenkou/service/casework"
	"jiamenkou/service/identity/identitytest"
	"jiamenkou/service/notify"
)

func TestInbox(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		wang, li := w.person("wang"), w.person("li")
		for range 3 {
			w.deliver(w.accepted(wang))
			w.Clock.Advance(time.Minute)
		}
		unread := func(actor authz.Actor) int64 {
			n, err := w.UnreadCount(t.Context(), actor)
			require.NoError(t, err)
			return n
		}
		all := w.inbox(wang)
		t.Run("is paged, newest first", func(t *testing.T) {
			require.Len(t, all, 3)
			require.Greater(t, all[0].CreatedAt, all[1].CreatedAt)
			first, err := w.Messages(t.Context(), wang, notify.Filter{Topic: casework.NoticeCaseMoved}, paging.Request{Limit: 2})
			require.NoError(t, err)
			rest, err := w.Messages(t.Context(), wang, notify.Filter{}, paging.Request{Limit: 2, Cursor: first.Next})
			require.NoError(t, err)
			require.Equal(t, all, append(first.Items, rest.Items...))
			require.Empty(t, rest.Next)
			_, err = w.Messages(t.Context(), wang, notify.Filter{}, paging.Request{Cursor: "x"})
			require.ErrorIs(t, err, paging.ErrCursor)
		})
		t.Run("counts what is unread", func(t *testing.T) {
			require.EqualValues(t, 3, unread(wang))
			require.Zero(t, unread(li))
			require.NoError(t, w.MarkRead(t.Context(), wang, all[1].ID))
			read := *w.inbox(wang)[1].ReadAt
			w.Clock.Advance(time.Minute)
			require.NoError(t, w.MarkRead(t.Context(), wang, all[1].ID), "again")
			require.Equal(t, read, *w.inbox(wang)[1].ReadAt, "the first time counts")
			require.EqualValues(t, 2, unread(wang))
			page, err := w.Messages(t.Context(), wang, notify.Filter{Unread: true}, paging.Request{})
			require.NoError(t, err)
			require.Len(t, page.Items, 2)
		})
		t.Run("is nobody else's", func(t *testing.T) {
			require.Empty(t, w.inbox(li))
			require.ErrorIs(t, w.MarkRead(t.Context(), li, all[0].ID), notify.ErrNotFound)
			require.ErrorIs(t, w.MarkRead(t.Context(), w.Operator, all[0].ID), notify.ErrNotFound)
			require.ErrorIs(t, w.MarkRead(t.Context(), li, "none"), notify.ErrNotFound)
			n, err := w.MarkAllRead(t.Context(), li)
			require.NoError(t, err)
			require.Zero(t, n)
			require.EqualValues(t, 2, unread(wang))
			for _, nobody := range []authz.Actor{{}, {Kind: authz.KindResident}, identitytest.System} {
				_, err := w.Messages(t.Context(), nobody, notify.Filter{}, paging.Request{})
				require.ErrorIs(t, err, authz.ErrForbidden)
			}
		})
		t.Run("is read at once", func(t *testing.T) {
			n, err := w.MarkAllRead(t.Context(), wang)
			require.NoError(t, err)
			require.EqualValues(t, 2, n)
			require.Zero(t, unread(wang))
		})
	})
}

func TestForgetting(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		wang, li := w.willing("wang", caseTemplate, shiftTemplate), w.willing("li", caseTemplate, shiftTemplate)
		for _, actor := range []authz.Actor{wang, li} {
			require.NoError(t, w.Send(t.Context(), w.Clock.NewID(), w.waiting(actor).ID, false))
		}
		t.Run("a deleted account takes everything along", func(t *testing.T) {
			require.NoError(t, w.DeleteAccount(t.Context(), wang))
			for table, left := range map[string]int64{"message": 1, "subscribe_attempt": 1, "subscribe_quota": 2} {
				require.Equal(t, left, w.Count(t, "SELECT COUNT(*) FROM "+table), table)
			}
		})
		t.Run("old messages go in batches, young ones stay", func(t *testing.T) {
			for range 4 {
				w.deliver(w.accepted(li))
			}
			w.Clock.Advance(179 * 24 * time.Hour)
			n, err := w.Prune(t.Context())
			require.NoError(t, err)
			require.Zero(t, n)
			zhao := w.person("zhao")
			w.deliver(w.accepted(zhao))
			w.Clock.Advance(2 * 24 * time.Hour)
			n, err = w.Prune(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, 5, n)
			require.Len(t, w.inbox(zhao), 1)
			require.Zero(t, w.Count(t, "SELECT COUNT(*) FROM subscribe_attempt"))
			require.EqualValues(t, 2, w.Count(t, "SELECT COUNT(*) FROM subscribe_quota"))
		})
		require.Zero(t, w.Count(t, "SELECT COUNT(*) FROM message WHERE topic <> ?", casework.NoticeCaseMoved))
	})
}
