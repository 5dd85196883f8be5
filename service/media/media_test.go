package media_test

import (
	"bytes"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/blob"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
	"jiamenkou/model"
	"jiamenkou/service/media"
)

func drawing(t *testing.T, w, h int) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, png.Encode(&out, image.NewRGBA(image.Rect(0, 0, w, h))))
	return out.Bytes()
}

func TestMedia(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		store, err := blob.OpenDisk(t.TempDir(), media.MaxAudioBytes)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		s := media.New(db, clock.NewManual(time.Date(2026, 3, 10, 4, 0, 0, 0, time.UTC), 7), store)
		by := func(role authz.Role) authz.Actor {
			return authz.Actor{Kind: authz.KindStaff, ID: string(role), Grants: []authz.Grant{{Role: role, RegionID: "r", RegionPath: "/r/"}}}
		}
		operator := by(authz.RoleOperator)
		mp3 := append([]byte("ID3\x04"), make([]byte, 100)...)
		t.Run("keeps a picture, scaled down, for everybody", func(t *testing.T) {
			item, err := s.UploadPicture(t.Context(), by(authz.RoleOwner), drawing(t, 2560, 1000))
			require.NoError(t, err)
			require.EqualValues(t, 1280, item.Width)
			require.EqualValues(t, 500, item.Height)
			require.Equal(t, "/mp/v1/media/"+item.Key, media.Address(item.Key))
			file, err := s.Open(t.Context(), item.Key)
			require.NoError(t, err)
			require.Equal(t, "image/jpeg", file.ContentType)
			require.Len(t, file.Data, int(item.SizeBytes))
		})
		t.Run("keeps recordings by what they are", func(t *testing.T) {
			item, err := s.UploadAudio(t.Context(), operator, mp3)
			require.NoError(t, err)
			require.Equal(t, "audio/mpeg", item.ContentType)
			frame := append([]byte{0xFF, 0xFB, 0x90, 0x00}, make([]byte, 100)...)
			item, err = s.UploadAudio(t.Context(), operator, frame)
			require.NoError(t, err)
			require.Equal(t, "audio/mpeg", item.ContentType)
			item, err = s.UploadAudio(t.Context(), operator, []byte("\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00"))
			require.NoError(t, err)
			require.Equal(t, "audio/mp4", item.ContentType)
			for _, bad := range [][]byte{[]byte("<html><script>alert(1)</script>"), {}, drawing(t, 10, 10)} {
				_, err = s.UploadAudio(t.Context(), operator, bad)
				require.ErrorIs(t, err, media.ErrNotAudio)
			}
			_, err = s.UploadAudio(t.Context(), operator, append(mp3, make([]byte, media.MaxAudioBytes)...))
			require.ErrorIs(t, err, media.ErrTooLarge)
		})
		t.Run("refuses what is no picture, and other people", func(t *testing.T) {
			_, err := s.UploadPicture(t.Context(), operator, mp3)
			require.ErrorIs(t, err, media.ErrNotPicture)
			for _, who := range []authz.Actor{by(authz.RoleClerk), by(authz.RoleAuditor), {Kind: authz.KindResident, ID: "r"}, {}} {
				_, err = s.UploadPicture(t.Context(), who, drawing(t, 10, 10))
				require.ErrorIs(t, err, authz.ErrForbidden)
				_, err = s.UploadAudio(t.Context(), who, mp3)
				require.ErrorIs(t, err, authz.ErrForbidden)
			}
			_, err = s.Open(t.Context(), blob.NewKey())
			require.ErrorIs(t, err, media.ErrMissing)
			_, err = s.Open(t.Context(), "../../etc/passwd")
			require.ErrorIs(t, err, media.ErrMissing)
		})
		t.Run("shows nothing that is only in the store: residents' pictures share it", func(t *testing.T) {
			key := blob.NewKey()
			require.NoError(t, store.Put(t.Context(), key, []byte("private")))
			_, err := s.Open(t.Context(), key)
			require.ErrorIs(t, err, media.ErrMissing)
		})
		t.Run("checks that a key names a file of the kind", func(t *testing.T) {
			item, err := s.UploadAudio(t.Context(), operator, mp3)
			require.NoError(t, err)
			faults := func(kind media.Kind, key string) error {
				var f fault.Fields
				require.NoError(t, media.Check(db.Read(t.Context()), &f, "key", kind, key))
				return f.Err("test.invalid")
			}
			require.NoError(t, faults(model.MediaAudio, item.Key))
			require.NoError(t, faults(model.MediaAudio, ""))
			require.Error(t, faults(model.MediaPicture, item.Key))
			require.Error(t, faults(model.MediaAudio, strings.Repeat("a", 32)))
		})
		t.Run("counts a person's uploads of a day", func(t *testing.T) {
			organizer := by(authz.RoleOrganizer)
			_, err := s.UploadAudio(t.Context(), organizer, mp3)
			require.NoError(t, err)
			require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
				var row model.Media
				if err := tx.Where("created_by = ?", organizer.ID).Take(&row).Error; err != nil {
					return err
				}
				rows := make([]model.Media, 199)
				for i := range rows {
					rows[i] = row
					rows[i].ID = blob.NewKey()
				}
				return tx.Create(&rows).Error
			}))
			_, err = s.UploadAudio(t.Context(), organizer, mp3)
			require.ErrorIs(t, err, media.ErrDailyUploads)
		})
	})
}
