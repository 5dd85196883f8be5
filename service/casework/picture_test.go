package casework_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/blob"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/wechat"
	"jiamenkou/model"
	"jiamenkou/service/casework"
	"jiamenkou/service/policy"
)

func nan() float64 { return math.NaN() }

// newWorldOn is w with another configuration.
func newWorldOn(t *testing.T, w *world, change func(*casework.Config)) *world {
	t.Helper()
	cfg := casework.Config{LinkSecret: strings.Repeat("k", 32), PublicURL: "https://example.org/"}
	change(&cfg)
	copied := *w
	copied.t = t
	var err error
	copied.casework, err = casework.New(casework.Parts{
		DB: w.db, Clock: w.clock, Policy: policy.New(w.db, w.clock, w.ledger), Ledger: w.ledger, Store: w.store, Checker: w.wechat,
		Locator: locator{w.villageA.ID, w.villageB.ID},
	}, cfg)
	require.NoError(t, err)
	return &copied
}

func withEXIF(data []byte) []byte {
	body := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00 GPS 30.27N 120.15E")
	out := append(append([]byte{}, data[:2]...), 0xff, 0xe1, 0, byte(len(body)+2)) //nolint:gosec // 30
	return append(append(out, body...), data[2:]...)
}

func bomb() []byte {
	body := binary.BigEndian.AppendUint32([]byte("IHDR"), 50000)
	body = append(binary.BigEndian.AppendUint32(body, 50000), 8, 6, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), body...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(body))
}

func TestUpload(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		t.Run("keeps the picture without its EXIF", func(t *testing.T) {
			in := withEXIF(photo(t, 64, 48))
			require.True(t, bytes.Contains(in, []byte("GPS")))
			p, err := w.casework.Upload(ctx, w.resident, in)
			require.NoError(t, err)
			require.Equal(t, model.ContentPending, p.Status)
			f, err := w.casework.OpenPicture(ctx, w.resident, p.ID)
			require.NoError(t, err)
			require.Equal(t, "image/jpeg", f.ContentType)
			require.False(t, bytes.Contains(f.Data, []byte("GPS")))
			require.False(t, bytes.Contains(f.Data, []byte("Exif")))
		})
		t.Run("refuses and keeps nothing", func(t *testing.T) {
			before := w.count(`SELECT COUNT(*) FROM attachment`)
			for name, c := range map[string]struct {
				actor authz.Actor
				data  []byte
				want  *fault.Error
			}{
				"what is no picture":   {w.resident, []byte("<script>alert(1)</script>"), casework.ErrNotPicture},
				"nothing":              {w.resident, nil, casework.ErrNotPicture},
				"too many bytes":       {w.resident, append(photo(t, 8, 8), make([]byte, 5<<20)...), casework.ErrPictureTooLarge},
				"a decompression bomb": {w.resident, bomb(), casework.ErrPictureTooLarge},
				"the wrong role":       {w.auditor, photo(t, 8, 8), authz.ErrForbidden},
				"nobody":               {authz.Actor{}, photo(t, 8, 8), authz.ErrForbidden},
			} {
				_, err := w.casework.Upload(ctx, c.actor, c.data)
				require.ErrorIs(t, err, c.want, name)
			}
			require.Equal(t, fault.TooLarge, casework.ErrPictureTooLarge.Kind)
			require.Equal(t, before, w.count(`SELECT COUNT(*) FROM attachment`))
		})
		t.Run("keeps to the daily number", func(t *testing.T) {
			w := newWorldOn(t, w, func(c *casework.Config) { c.DailyUploads = 2 })
			busy := w.newResident(&w.villageA)
			errs := parallel(5, func(int) error { _, err := w.casework.Upload(ctx, busy, photo(t, 8, 8)); return err })
			refused := 0
			for _, err := range errs {
				if err != nil {
					require.ErrorIs(t, err, casework.ErrDailyUploads)
					refused++
				}
			}
			require.Equal(t, 3, refused)
		})
		t.Run("a picture can be used once, and by its owner", func(t *testing.T) {
			mine, theirs := w.upload(w.resident), w.upload(w.neighbour)
			refused := func(ids ...string) {
				in := w.input()
				in.AttachmentIDs = ids
				_, err := w.casework.Report(ctx, w.resident, in)
				require.ErrorIs(t, err, casework.ErrPictureUse)
			}
			before := w.count(`SELECT COUNT(*) FROM case_file`)
			refused(theirs.ID)
			refused(mine.ID, theirs.ID)
			refused("../../etc/passwd")
			refused(w.clock.NewID())
			require.Nil(t, w.attachment(mine.ID).AttachedAt, "all or none")
			require.Equal(t, before, w.count(`SELECT COUNT(*) FROM case_file`))
			inputs := []casework.ReportInput{w.input(), w.input(), w.input(), w.input()}
			won := 0
			for _, err := range parallel(len(inputs), func(i int) error {
				in := inputs[i]
				in.AttachmentIDs = []string{mine.ID}
				_, err := w.casework.Report(ctx, w.resident, in)
				return err
			}) {
				if err == nil {
					won++
				} else {
					require.ErrorIs(t, err, casework.ErrPictureUse)
				}
			}
			require.Equal(t, 1, won)
		})
		t.Run("orphans go after a day, with their bytes", func(t *testing.T) {
			orphan, used := w.upload(w.resident), w.upload(w.resident)
			w.report(func(in *casework.ReportInput) { in.AttachmentIDs = []string{used.ID} })
			key := w.attachment(orphan.ID).StorageKey
			n, err := w.casework.DeleteOrphans(ctx)
			require.NoError(t, err)
			require.Zero(t, n)
			w.clock.Advance(24 * time.Hour)
			n, err = w.casework.DeleteOrphans(ctx)
			require.NoError(t, err)
			require.Positive(t, n)
			_, err = w.store.Get(ctx, key)
			require.ErrorIs(t, err, blob.ErrNotFound)
			require.Zero(t, w.count(`SELECT COUNT(*) FROM attachment WHERE attached_at IS NULL`))
			_, err = w.store.Get(ctx, w.attachment(used.ID).StorageKey)
			require.NoError(t, err)
		})
	})
}

func TestWhoSeesPictures(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		p := w.upload(w.resident)
		sees := func(actor authz.Actor, id string, want error) {
			t.Helper()
			_, err := w.casework.OpenPicture(ctx, actor, id)
			require.ErrorIs(t, err, want)
		}
		sees(w.resident, p.ID, nil)
		sees(w.neighbour, p.ID, casework.ErrPictureNotFound)
		sees(w.workerA, p.ID, casework.ErrPictureNotFound) // it belongs to no case yet
		r := w.report(func(in *casework.ReportInput) { in.AttachmentIDs = []string{p.ID} })
		sees(w.workerA, p.ID, nil)
		sees(w.auditor, p.ID, nil)
		sees(w.workerB, p.ID, casework.ErrPictureNotFound)
		sees(w.organizer, p.ID, casework.ErrPictureNotFound)
		sees(w.neighbour, p.ID, casework.ErrPictureNotFound)
		sees(w.resident, w.clock.NewID(), casework.ErrPictureNotFound)

		w.bring(r.ID, model.CaseHandling)
		after := w.upload(w.workerA)
		sees(w.resident, after.ID, casework.ErrPictureNotFound)
		_, err := w.casework.Finish(ctx, w.workerA, r.ID, []string{after.ID}, casework.MoveInput{Note: "好了"})
		require.NoError(t, err)
		sees(w.resident, after.ID, nil)

		t.Run("staff judge what WeChat left open, once", func(t *testing.T) {
			require.ErrorIs(t, w.casework.DecideImage(ctx, w.workerB, p.ID, true), casework.ErrPictureNotFound)
			require.ErrorIs(t, w.casework.DecideImage(ctx, w.auditor, p.ID, true), authz.ErrForbidden)
			require.Error(t, w.casework.DecideImage(ctx, w.resident, p.ID, true))
			require.Equal(t, model.ContentPending, w.attachment(p.ID).Status)
			require.NoError(t, w.casework.DecideImage(ctx, w.workerA, p.ID, false))
			require.ErrorIs(t, w.casework.DecideImage(ctx, w.workerA, p.ID, true), casework.ErrPictureDecided)
			sees(w.resident, p.ID, casework.ErrPictureRejected)
			d, err := w.casework.Case(ctx, w.resident, r.ID)
			require.NoError(t, err)
			require.Empty(t, d.Steps[0].Pictures[0].URL, "no link to a rejected picture")
		})
	})
}

func parts(t *testing.T, link string) (key, exp, sig string) {
	t.Helper()
	u, err := url.Parse(link)
	require.NoError(t, err)
	return strings.TrimPrefix(u.Path, casework.LinkPath), u.Query().Get("exp"), u.Query().Get("sig")
}

func TestLinks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		p, other := w.upload(w.resident), w.upload(w.neighbour)
		key, exp, sig := parts(t, p.URL)
		otherKey, _, _ := parts(t, other.URL)
		f, err := w.casework.OpenLink(ctx, key, exp, sig)
		require.NoError(t, err)
		require.NotEmpty(t, f.Data)
		for name, c := range map[string][3]string{
			"no signature":        {key, exp, ""},
			"another key":         {otherKey, exp, sig},
			"a longer life":       {key, "9999999999", sig},
			"a changed signature": {key, exp, strings.Repeat("0", 64)},
			"a path":              {"../../../etc/passwd", exp, sig},
			"no key":              {"", "", ""},
		} {
			_, err := w.casework.OpenLink(ctx, c[0], c[1], c[2])
			require.ErrorIs(t, err, casework.ErrLink, name)
		}
		w.clock.Advance(15 * time.Minute)
		_, err = w.casework.OpenLink(ctx, key, exp, sig)
		require.ErrorIs(t, err, casework.ErrLink, "it is over")
	})
}

func TestTextCheck(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		t.Run("refuses a risky text and keeps nothing", func(t *testing.T) {
			p := w.upload(w.resident)
			for _, change := range []func(*casework.ReportInput){
				func(in *casework.ReportInput) { in.Text = "这里是违规的内容" },
				func(in *casework.ReportInput) { in.Address = "违规路 1 号" },
			} {
				in := w.input()
				in.AttachmentIDs = []string{p.ID}
				change(&in)
				_, err := w.casework.Report(ctx, w.resident, in)
				require.ErrorIs(t, err, casework.ErrTextRefused)
				require.Equal(t, fault.Invalid, fault.KindOf(err))
			}
			require.Zero(t, w.count(`SELECT COUNT(*) FROM case_file`))
			require.Nil(t, w.attachment(p.ID).AttachedAt)
		})
		t.Run("staff decide what WeChat would have reviewed", func(t *testing.T) {
			r := w.report(func(in *casework.ReportInput) { in.Text = "需要复审的内容" })
			require.Equal(t, model.ContentPending, w.file(r.ID).ContentStatus)
			require.Zero(t, w.count(`SELECT COUNT(*) FROM queue_job WHERE kind = ?`, casework.JobCheckText))
			_, err := w.casework.Accept(ctx, w.workerA, r.ID, casework.MoveInput{})
			require.ErrorIs(t, err, casework.ErrContentPending)
			_, err = w.casework.DecideContent(ctx, w.workerB, r.ID, true, casework.MoveInput{})
			require.ErrorIs(t, err, casework.ErrNotFound)
			_, err = w.casework.DecideContent(ctx, w.workerA, r.ID, true, casework.MoveInput{Version: 1})
			require.NoError(t, err)
			_, err = w.casework.DecideContent(ctx, w.workerA, r.ID, true, casework.MoveInput{})
			require.ErrorIs(t, err, casework.ErrContentDecided)
			w.bring(r.ID, model.CaseAccepted)
			require.Len(t, w.history(r.ID), 3)

			r = w.report(func(in *casework.ReportInput) { in.Text = "另一个复审的内容" })
			_, err = w.casework.DecideContent(ctx, w.workerA, r.ID, false, casework.MoveInput{Note: "内容不当"})
			require.NoError(t, err)
			require.Equal(t, model.CaseRejected, w.file(r.ID).Status)
			require.Equal(t, model.ContentRejected, w.file(r.ID).ContentStatus)
		})
		t.Run("asks later when WeChat is away", func(t *testing.T) {
			for text, want := range map[string]model.CaseStatus{"楼道灯坏了": model.CaseSubmitted, "这里是违规的": model.CaseRejected} {
				w.wechat.set(true)
				r := w.report(func(in *casework.ReportInput) { in.Text = text })
				require.Equal(t, model.ContentPending, w.file(r.ID).ContentStatus)
				require.Equal(t, int64(1), w.count(`SELECT COUNT(*) FROM queue_job WHERE kind = ? AND unique_key = ?`, casework.JobCheckText, r.ID))
				require.Error(t, w.casework.CheckText(ctx, r.ID), "the queue tries again")
				w.wechat.set(false)
				require.NoError(t, w.casework.CheckText(ctx, r.ID))
				require.NoError(t, w.casework.CheckText(ctx, r.ID), "a second run changes nothing")
				c := w.file(r.ID)
				require.Equal(t, want, c.Status)
				require.NotEqual(t, model.ContentPending, c.ContentStatus)
				require.Equal(t, int64(2), c.Version)
			}
		})
	})
}

func TestImageCheck(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		submit := func() (id, trace string) {
			p := w.upload(w.resident)
			require.Equal(t, int64(1), w.count(`SELECT COUNT(*) FROM queue_job WHERE kind = ? AND unique_key = ?`, casework.JobCheckImage, p.ID))
			require.NoError(t, w.casework.CheckImage(ctx, p.ID))
			return p.ID, *w.attachment(p.ID).TraceID
		}
		t.Run("hands WeChat a link that it can open", func(t *testing.T) {
			id, _ := submit()
			link := w.wechat.images[len(w.wechat.images)-1]
			rest, ok := strings.CutPrefix(link, "https://example.org")
			require.True(t, ok)
			key, exp, sig := parts(t, rest)
			_, err := w.casework.OpenLink(ctx, key, exp, sig)
			require.NoError(t, err)
			n := len(w.wechat.images)
			require.NoError(t, w.casework.CheckImage(ctx, id))
			require.Len(t, w.wechat.images, n, "a second run does not ask again")
		})
		t.Run("a verdict counts once", func(t *testing.T) {
			for suggest, want := range map[wechat.Suggest]model.ContentStatus{
				wechat.SuggestPass: model.ContentPassed, wechat.SuggestRisky: model.ContentRejected, wechat.SuggestReview: model.ContentPending,
			} {
				id, trace := submit()
				known, err := w.casework.ImageVerdict(ctx, trace, suggest)
				require.NoError(t, err)
				require.True(t, known)
				require.Equal(t, want, w.attachment(id).Status)
				_, err = w.casework.ImageVerdict(ctx, trace, wechat.SuggestPass)
				require.NoError(t, err)
				require.Equal(t, want, w.attachment(id).Status, "a second verdict changes nothing")
			}
		})
		t.Run("a rejected picture cannot be reported", func(t *testing.T) {
			id, trace := submit()
			_, err := w.casework.ImageVerdict(ctx, trace, wechat.SuggestRisky)
			require.NoError(t, err)
			in := w.input()
			in.AttachmentIDs = []string{id}
			_, err = w.casework.Report(ctx, w.resident, in)
			require.ErrorIs(t, err, casework.ErrPictureUse)
		})
		t.Run("ignores a trace that nothing waits for", func(t *testing.T) {
			w.clock.Advance(time.Minute)
			for _, trace := range []string{"", "unknown", "' OR 1=1 --"} {
				known, err := w.casework.ImageVerdict(ctx, trace, wechat.SuggestPass)
				require.NoError(t, err)
				require.False(t, known)
			}
			_, trace := submit()
			known, err := w.casework.ImageVerdict(ctx, trace, "maybe")
			require.NoError(t, err)
			require.False(t, known, "an unknown word is never a pass")
		})
		t.Run("waits for the trace id when the verdict is faster", func(t *testing.T) {
			done := make(chan error, 1)
			w.wechat.during = func(trace string) {
				go func() {
					_, err := w.casework.ImageVerdict(context.WithoutCancel(ctx), trace, wechat.SuggestPass)
					done <- err
				}()
				time.Sleep(50 * time.Millisecond)
			}
			id, _ := submit()
			w.wechat.during = nil
			require.NoError(t, <-done)
			require.Equal(t, model.ContentPassed, w.attachment(id).Status)
		})
		t.Run("is heard at whatever moment it comes", func(t *testing.T) {
			defer func() { w.wechat.during = nil }()
			for i := range 25 {
				done := make(chan error, 1)
				w.wechat.during = func(trace string) {
					go func() {
						time.Sleep(time.Duration(i) * 100 * time.Microsecond) // around the moment that the trace id is written down
						_, err := w.casework.ImageVerdict(context.WithoutCancel(ctx), trace, wechat.SuggestPass)
						done <- err
					}()
				}
				id, _ := submit()
				require.NoError(t, <-done)
				require.Equal(t, model.ContentPassed, w.attachment(id).Status, "after %d tenths of a millisecond", i)
			}
		})
		t.Run("asks again when no verdict came, a few times", func(t *testing.T) {
			w := newWorldOn(t, w, func(c *casework.Config) { c.MaxImageChecks = 2 })
			w.clock.Advance(2 * time.Hour)
			_, err := w.casework.ResubmitImages(ctx)
			require.NoError(t, err)
			w.exec(`DELETE FROM queue_job`)
			p := w.upload(w.resident)
			require.NoError(t, w.casework.CheckImage(ctx, p.ID))
			old := *w.attachment(p.ID).TraceID
			w.clock.Advance(time.Hour)
			n, err := w.casework.ResubmitImages(ctx)
			require.NoError(t, err)
			require.Positive(t, n)
			require.NoError(t, w.casework.CheckImage(ctx, p.ID))
			require.NotEqual(t, old, *w.attachment(p.ID).TraceID)
			known, err := w.casework.ImageVerdict(ctx, old, wechat.SuggestPass)
			require.NoError(t, err)
			require.False(t, known, "the first trace is over")
			w.clock.Advance(3 * time.Hour)
			before := w.count(`SELECT COUNT(*) FROM queue_job WHERE payload LIKE ?`, "%"+p.ID+"%")
			_, err = w.casework.ResubmitImages(ctx)
			require.NoError(t, err)
			require.Equal(t, before, w.count(`SELECT COUNT(*) FROM queue_job WHERE payload LIKE ?`, "%"+p.ID+"%"), "not for ever")
		})
	})
}

func TestForget(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		r := w.report(func(in *casework.ReportInput) { in.Lon, in.Lat = new(119.5), new(30.2) })
		p := w.upload(w.resident)
		require.NoError(t, database.InTx(ctx, w.db, func(tx *gorm.DB) error { return w.casework.ForgetTx(ctx, tx, w.resident.ID) }))
		require.Nil(t, w.file(r.ID).Lon)
		n, err := w.casework.DeleteOrphans(ctx)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		require.Zero(t, w.count(`SELECT COUNT(*) FROM attachment WHERE id = ?`, p.ID))
	})
}

func TestConfigRefuses(t *testing.T) {
	for name, change := range map[string]func(*casework.Config){
		"a short secret":    func(c *casework.Config) { c.LinkSecret = "short" },
		"ten pictures":      func(c *casework.Config) { c.MaxPictures = 10 },
		"a negative time":   func(c *casework.Config) { c.DueIn = -1 },
		"too large batches": func(c *casework.Config) { c.BatchSize = 1 << 20 },
	} {
		cfg := casework.Config{LinkSecret: strings.Repeat("k", 32)}
		change(&cfg)
		_, err := casework.New(casework.Parts{}, cfg)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "kkkk")
	}
}
