package volunteer_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/paging"
	"jiamenkou/model"
	"jiamenkou/service/volunteer"
)

// named is a resident of the village with a real name on record.
func (w *world) named(name string) authz.Actor {
	w.t.Helper()
	who := w.resident()
	require.NoError(w.t, w.people.SetRealName(w.t.Context(), who, name, ""))
	return who
}

func period(key string) volunteer.CertificateRequest {
	return volunteer.CertificateRequest{IdempotencyKey: key, Purpose: "申请助学金", From: "2026-03-01", To: "2026-03-14"}
}

func issue(c volunteer.Certificate, key string) volunteer.IssueInput {
	return volunteer.IssueInput{IdempotencyKey: key, CertificateID: c.ID, Issuer: "东山村志愿服务站", HandlerPhone: "0573-87001234"}
}

func (w *world) refusesCertificate(want *fault.Error, who authz.Actor, in volunteer.CertificateRequest) {
	w.t.Helper()
	w.refuses(want, func() error { _, err := w.RequestCertificate(w.t.Context(), who, in); return err })
}

func TestCertificate(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		who, nameless := w.named("欧阳䶮"), w.resident()
		w.refusesCertificate(volunteer.ErrNothingToCertify, who, volunteer.CertificateRequest{Purpose: "入党", From: "2026-03-01", To: "2026-03-10"})
		first, second := w.served(who, 1, 9, 11), w.served(who, 2, 9, 10.5)
		w.set(at(4, 9))

		t.Run("is requested by a volunteer with a name, a home and records", func(t *testing.T) {
			for _, bad := range []volunteer.CertificateRequest{
				{Purpose: "", From: "2026-03-01", To: "2026-03-14"},
				{Purpose: "助学\n金", From: "2026-03-01", To: "2026-03-14"},
				{Purpose: "助学金", From: "2026-03-14", To: "2026-03-01"},
				{Purpose: "助学金", From: "2026-03-01", To: "2026-03-15"},
				{Purpose: "助学金", From: "2006-03-01", To: "2026-03-14"},
				{Purpose: "助学金", From: "", To: "2026-03-14"},
			} {
				_, err := w.RequestCertificate(ctx, who, bad)
				require.Equal(t, fault.Invalid, fault.KindOf(err), bad)
			}
			homeless := who
			homeless.RegionID = ""
			w.refusesCertificate(volunteer.ErrNoHomeRegion, homeless, period("k-1"))
			w.refusesCertificate(volunteer.ErrNoRealName, nameless, period("k-1"))
			w.refusesCertificate(authz.ErrForbidden, w.organizer, period("k-1"))
		})

		c, err := w.RequestCertificate(ctx, who, period("request-0001"))
		require.NoError(t, err)
		again, err := w.RequestCertificate(ctx, who, period("request-0001"))
		require.NoError(t, err)
		require.Equal(t, c.ID, again.ID)
		w.refusesCertificate(volunteer.ErrRequestOpen, who, period("request-0002"))
		require.EqualValues(t, 1, w.notices(volunteer.NoticeCertificateRequested, c.ID))

		t.Run("is issued by an organizer or operator over the home region", func(t *testing.T) {
			for _, bad := range []volunteer.IssueInput{
				{CertificateID: c.ID, Issuer: "", HandlerPhone: "0573-87001234"},
				{CertificateID: c.ID, Issuer: "志愿服务站", HandlerPhone: "找我"},
			} {
				_, err := w.IssueCertificate(ctx, w.organizer, bad)
				require.Equal(t, fault.Invalid, fault.KindOf(err))
			}
			for _, stranger := range []authz.Actor{w.neighbour} {
				w.refuses(volunteer.ErrCertificateMissing, func() error { _, err := w.IssueCertificate(ctx, stranger, issue(c, "i-1")); return err })
			}
			w.refuses(authz.ErrForbidden, func() error { _, err := w.IssueCertificate(ctx, who, issue(c, "i-1")); return err })
			_, _, err := w.CertificateFile(ctx, who, c.ID)
			require.ErrorIs(t, err, volunteer.ErrNotIssued)
		})

		c, err = w.IssueCertificate(ctx, w.organizer, issue(c, "issue-0001"))
		require.NoError(t, err)
		again, err = w.IssueCertificate(ctx, w.organizer, issue(c, "issue-0001"))
		require.NoError(t, err)
		require.Equal(t, c.Number, again.Number)
		require.Equal(t, "330481-2026-000001", *c.Number)
		require.EqualValues(t, 2, c.RecordCount)
		require.EqualValues(t, 120+90, c.TotalMinutes)
		require.Equal(t, clock.Day("2026-03-14"), *c.IssuedOn)
		require.EqualValues(t, 1, w.notices(volunteer.NoticeCertificateDecided, c.ID))

		t.Run("covers the records of then, also when one is corrected later", func(t *testing.T) {
			detail, err := w.MyCertificate(ctx, who, c.ID)
			require.NoError(t, err)
			require.Equal(t, []string{first.ID, second.ID}, []string{detail.Records[0].ID, detail.Records[1].ID})
			require.Len(t, detail.History, 2)
			_, err = w.MyCertificate(ctx, nameless, c.ID)
			require.ErrorIs(t, err, volunteer.ErrCertificateMissing)
			_, err = w.StaffCertificate(ctx, w.neighbour, c.ID)
			require.ErrorIs(t, err, volunteer.ErrCertificateMissing)
		})

		t.Run("is verified by anybody with number and code, without the name", func(t *testing.T) {
			v, err := w.VerifyCertificate(ctx, *c.Number, " "+strings.ToLower(*c.CheckCode)+" ")
			require.NoError(t, err)
			require.Equal(t, "欧**", v.MaskedName)
			require.Len(t, v.Records, 2)
			require.False(t, v.RecordsChanged)
			for _, wrong := range [][2]string{{*c.Number, "AAAAAAAAAA"}, {"330481-2026-000002", *c.CheckCode}, {"", ""}, {*c.Number, ""}} {
				_, err := w.VerifyCertificate(ctx, wrong[0], wrong[1])
				require.ErrorIs(t, err, volunteer.ErrCertificateUnknown, wrong)
			}
		})

		t.Run("is a file for its holder and for staff, whose look is recorded", func(t *testing.T) {
			name, file, err := w.CertificateFile(ctx, who, c.ID)
			require.NoError(t, err)
			require.Equal(t, "certificate-330481-2026-000001.pdf", name)
			require.True(t, bytes.HasPrefix(file, []byte("%PDF-")))
			require.Less(t, len(file), 200_000)
			if folder := os.Getenv("JMK_PDF"); folder != "" { // for a look with one's own eyes
				require.NoError(t, os.WriteFile(filepath.Join(folder, "certificate.pdf"), file, 0o600)) //nolint:gosec // the tester's own folder
			}
			require.Zero(t, w.count("SELECT COUNT(*) FROM pii_access"), "one's own name is no secret")
			_, _, err = w.CertificateFile(ctx, w.colleague, c.ID)
			require.NoError(t, err)
			require.EqualValues(t, 1, w.count("SELECT COUNT(*) FROM pii_access WHERE resident_id = ?", who.ID))
			for _, stranger := range []authz.Actor{nameless, w.neighbour} {
				_, _, err = w.CertificateFile(ctx, stranger, c.ID)
				require.ErrorIs(t, err, volunteer.ErrCertificateMissing)
			}
		})

		t.Run("tells that a record was corrected since", func(t *testing.T) {
			void := w.propose(w.organizer, volunteer.ProposalInput{RecordID: second.ID, Kind: model.CorrectionVoid, Reason: "登记到了别人名下"})
			_, err := w.ApproveCorrection(ctx, w.colleague, volunteer.CorrectionDecision{CorrectionID: void.ID})
			require.NoError(t, err)
			v, err := w.VerifyCertificate(ctx, *c.Number, *c.CheckCode)
			require.NoError(t, err)
			require.True(t, v.RecordsChanged)
			require.EqualValues(t, 210, v.TotalMinutes, "the paper says what it said")
		})

		t.Run("is revoked with a reason, and stays known as void", func(t *testing.T) {
			no := volunteer.CertificateDecision{CertificateID: c.ID, Reason: "所列记录有误，已另出证明"}
			w.refuses(volunteer.ErrBadMove, func() error { _, err := w.RefuseCertificate(ctx, w.organizer, no); return err })
			w.refuses(volunteer.ErrCertificateMissing, func() error { _, err := w.RevokeCertificate(ctx, w.neighbour, no); return err })
			revoked, err := w.RevokeCertificate(ctx, w.townOffice, no)
			require.NoError(t, err)
			require.Equal(t, model.CertificateRevoked, revoked.State)
			v, err := w.VerifyCertificate(ctx, *c.Number, *c.CheckCode)
			require.NoError(t, err)
			require.Equal(t, model.CertificateRevoked, v.State)
			_, _, err = w.CertificateFile(ctx, who, c.ID)
			require.ErrorIs(t, err, volunteer.ErrNotIssued)
		})
	})
}

func TestCertificateRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		who := w.named("王小明")
		w.served(who, 1, 9, 11)
		w.set(at(4, 9))
		c, err := w.RequestCertificate(ctx, who, period("request-1"))
		require.NoError(t, err)
		_, err = w.RefuseCertificate(ctx, w.organizer, volunteer.CertificateDecision{CertificateID: c.ID})
		require.Equal(t, fault.Invalid, fault.KindOf(err))
		c, err = w.RefuseCertificate(ctx, w.organizer, volunteer.CertificateDecision{CertificateID: c.ID, Reason: "用途不明，请补充说明"})
		require.NoError(t, err)
		require.Equal(t, model.CertificateRefused, c.State)
		w.refuses(volunteer.ErrBadMove, func() error { _, err := w.IssueCertificate(ctx, w.organizer, issue(c, "i-1")); return err })

		second, err := w.RequestCertificate(ctx, who, period("request-2"))
		require.NoError(t, err, "a refusal closes nothing for good")
		w.refuses(volunteer.ErrCertificateMissing, func() error { _, err := w.WithdrawCertificate(ctx, w.resident(), second.ID); return err })
		_, err = w.WithdrawCertificate(ctx, who, second.ID)
		require.NoError(t, err)
		third, err := w.RequestCertificate(ctx, who, period("request-3"))
		require.NoError(t, err)
		page, err := w.Certificates(ctx, w.operator, volunteer.CertificateFilter{State: model.CertificateRequested}, paging.Request{})
		require.NoError(t, err)
		require.Len(t, page.Items, 1)
		require.Equal(t, "王**", page.Items[0].MaskedName)
		require.NoError(t, w.forget(who))
		detail, err := w.StaffCertificate(ctx, w.operator, third.ID)
		require.NoError(t, err)
		require.Equal(t, model.CertificateWithdrawn, detail.State)
	})
}

func TestCertificateNumbers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const n = 6
		var requests [n]volunteer.Certificate
		people := make([]authz.Actor, n)
		for i := range people {
			people[i] = w.named("王小明")
		}
		_, shifts := w.published(shift(1, 9, 11, n))
		var items []volunteer.ConfirmItem
		for _, p := range people {
			items = append(items, item(w.signUp(p, shifts[0])))
		}
		w.attend(shifts[0], at(1, 9), at(1, 11), people...)
		w.confirm(w.organizer, shifts[0], items...)
		w.set(at(4, 9))
		for i, p := range people {
			var err error
			requests[i], err = w.RequestCertificate(t.Context(), p, period(""))
			require.NoError(t, err)
		}
		var errs [n]error
		all(n, func(i int) {
			requests[i], errs[i] = w.IssueCertificate(t.Context(), w.organizer, issue(requests[i], ""))
		})
		seen := map[string]bool{}
		for i := range n {
			require.NoError(t, errs[i])
			seen[*requests[i].Number] = true
		}
		for i := range n {
			require.True(t, seen["330481-2026-00000"+string(rune('1'+i))], "numbers without holes: %v", seen)
		}
	})
}
