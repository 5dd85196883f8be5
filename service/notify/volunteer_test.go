package notify_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/model"
	"jiamenkou/service/notify"
	"jiamenkou/service/volunteer"
)

// TestDeliver_volunteering: organizers over the region come first, and the
// volunteer alone hears of the outcome.
func TestDeliver_volunteering(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		who, _ := w.Resident(t, "wang")
		organizer := w.Staff(t, "organizer", authz.RoleOrganizer, w.East.ID)
		w.Staff(t, "elsewhere", authz.RoleOrganizer, w.West.ID)
		one := int64(1)
		record := model.ServiceRecord{
			ID: w.Clock.NewID(), Kind: model.RecordManual, State: model.RecordEffective, Approval: model.ApprovalSecondPerson, ResidentID: who.ID,
			VolunteerNumber: "V1", RegionID: w.EastVillage.ID, ActivityTitle: "河道清洁", Day: "2026-02-20", StartedAt: 0, EndedAt: 3_600_000_000,
			Minutes: 60, RecorderID: organizer, DecidedBy: &w.Operator.ID, DecidedAt: clock.Now(w.Clock).Ptr(), CreatedAt: 1,
		}
		w.insert(&record)
		asked := model.ServiceCorrection{
			ID: w.Clock.NewID(), RecordID: record.ID, ResidentID: who.ID, RegionID: record.RegionID, Attempt: 1, OpenSlot: &one,
			State: model.CorrectionAsked, AskedText: "少记了", CreatedAt: 1, UpdatedAt: 1,
		}
		w.insert(&asked)
		certificate := model.Certificate{
			ID: w.Clock.NewID(), ResidentID: who.ID, RegionID: w.WestVillage.ID, State: model.CertificateRefused, Purpose: "助学",
			FromDay: "2026-02-01", ToDay: "2026-02-28", VolunteerNumber: "V1", Reason: "用途不明", CreatedAt: 1, UpdatedAt: 1,
		}
		w.insert(&certificate)
		tell := func(topic, object string, residents ...string) {
			require.NoError(t, w.Deliver(t.Context(), w.Clock.NewID(), notify.Notice{Topic: topic, ObjectID: object, ResidentIDs: residents}))
		}
		desk := authz.Actor{Kind: authz.KindStaff, ID: organizer}

		tell(volunteer.NoticeCorrectionAsked, asked.ID)
		require.Len(t, w.inbox(desk), 1)
		require.Equal(t, "/corrections/"+asked.ID, w.inbox(desk)[0].Link)
		require.Empty(t, w.inbox(w.Operator), "there is an organizer")
		w.Exec(t, "UPDATE service_correction SET state = 'declined', open_slot = NULL, decided_by = ?, decided_at = 1 WHERE id = ?", organizer, asked.ID)
		tell(volunteer.NoticeCorrectionSettled, asked.ID, who.ID)
		require.Equal(t, "服务记录未更正", w.inbox(who)[0].Title)
		tell(volunteer.NoticeCertificateDecided, certificate.ID, who.ID)
		require.Equal(t, "服务时长证明未出具", w.inbox(who)[0].Title)
		require.ErrorIs(t, w.Deliver(t.Context(), w.Clock.NewID(), notify.Notice{
			Topic: volunteer.NoticeCertificateDecided, ObjectID: certificate.ID, ResidentIDs: []string{w.Clock.NewID()},
		}), notify.ErrNoRecipient, "it concerns somebody else")

		require.NoError(t, w.DisableStaff(t.Context(), w.Operator, organizer, "不再担任组织者"))
		tell(volunteer.NoticeCorrectionAsked, asked.ID)
		require.Len(t, w.inbox(w.Operator), 1, "where no organizer is left, operators are told")
	})
}
