// Package media keeps the pictures and recordings that staff upload for
// residents: covers of articles and benefits, and the audio of articles.
// Residents' own pictures are casework's: they are checked by WeChat and seen
// by few. What is here is the county's own word and public.
package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/blob"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
	"jiamenkou/internal/picture"
	"jiamenkou/model"
)

// Limits of uploads.
const (
	MaxPictureBytes = 5 << 20
	MaxAudioBytes   = 10 << 20 // twenty minutes of speech
	maxPictureSide  = 1280     // pixels of what is kept
	maxDailyUploads = 200      // per staff member
	maxDecodes      = 2        // pictures in memory at a time
)

// PublicPath begins the address of every file, without the host.
const PublicPath = "/mp/v1/media/"

// Address is where everybody can get the file of a key; "" for "".
func Address(key string) string {
	if key == "" {
		return ""
	}
	return PublicPath + key
}

// Service keeps media. Safe for concurrent use.
type Service struct {
	db      *database.DB
	clock   clock.Clock
	store   blob.Store
	decodes chan struct{}
	uses    []UsedKeys
}

// New returns the service; store must take MaxAudioBytes.
func New(db *database.DB, c clock.Clock, store blob.Store) *Service {
	return &Service{db: db, clock: c, store: store, decodes: make(chan struct{}, maxDecodes)}
}

// Item is an uploaded file.
type Item struct {
	Key         string
	Kind        Kind
	ContentType string
	SizeBytes   int64
	Width       int64 // pixels, 0 for audio
	Height      int64
}

// Kind is model's, for the surfaces.
type Kind = model.MediaKind

var uploaders = []authz.Role{authz.RoleOperator, authz.RoleOrganizer, authz.RoleOwner}

// UploadPicture takes a JPEG or PNG of 5 MB at most, scales it down and keeps
// it without its EXIF data. For operators, organizers and merchants' owners.
// Errors: ErrNotPicture, ErrTooLarge, ErrDailyUploads.
func (s *Service) UploadPicture(ctx context.Context, actor authz.Actor, data []byte) (Item, error) {
	if err := mayUpload(actor); err != nil {
		return Item{}, err
	}
	img, err := s.decode(ctx, data)
	if err != nil {
		return Item{}, err
	}
	return s.keep(ctx, actor, img.JPEG, model.Media{
		Kind: model.MediaPicture, ContentType: picture.ContentType, Width: int64(img.Width), Height: int64(img.Height),
	})
}

// UploadAudio takes an MP3 or M4A recording of 10 MB at most. For operators,
// organizers and merchants' owners. Errors: ErrNotAudio, ErrTooLarge,
// ErrDailyUploads.
func (s *Service) UploadAudio(ctx context.Context, actor authz.Actor, data []byte) (Item, error) {
	if err := mayUpload(actor); err != nil {
		return Item{}, err
	}
	if len(data) > MaxAudioBytes {
		return Item{}, ErrTooLarge
	}
	contentType := audioType(data)
	if contentType == "" {
		return Item{}, ErrNotAudio
	}
	return s.keep(ctx, actor, data, model.Media{Kind: model.MediaAudio, ContentType: contentType})
}

func mayUpload(actor authz.Actor) error {
	if !actor.IsSystem() && (actor.Kind != authz.KindStaff || !actor.Has(uploaders...)) {
		return authz.ErrForbidden
	}
	return nil
}

func (s *Service) decode(ctx context.Context, data []byte) (picture.Picture, error) {
	select {
	case s.decodes <- struct{}{}:
		defer func() { <-s.decodes }()
	case <-ctx.Done():
		return picture.Picture{}, fmt.Errorf("media: upload: %w", ctx.Err())
	}
	img, err := picture.Intake(data, picture.Limits{MaxBytes: MaxPictureBytes, MaxSide: maxPictureSide})
	switch {
	case errors.Is(err, picture.ErrTooLarge):
		return img, ErrTooLarge
	case errors.Is(err, picture.ErrNotPicture):
		return img, ErrNotPicture
	}
	return img, err
}

// audioType recognises a recording by its first bytes: an MP3 (with ID3 tag,
// or straight from a frame of MPEG layer III) or an MP4 container; "" for
// anything else.
func audioType(data []byte) string {
	switch {
	case len(data) < 12:
		return ""
	case bytes.HasPrefix(data, []byte("ID3")), data[0] == 0xFF && data[1]&0xE6 == 0xE2:
		return "audio/mpeg"
	case string(data[4:8]) == "ftyp" && slices.Contains([]string{"M4A ", "M4B ", "mp42", "isom", "iso2"}, string(data[8:12])):
		return "audio/mp4"
	}
	return ""
}

// keep writes the row, then the bytes, then that they are there, so that no
// file is ever without a row.
func (s *Service) keep(ctx context.Context, actor authz.Actor, data []byte, row model.Media) (Item, error) {
	sum := sha256.Sum256(data)
	row.ID, row.SizeBytes, row.SHA256 = blob.NewKey(), int64(len(data)), hex.EncodeToString(sum[:])
	row.CreatedBy, row.Day, row.CreatedAt = actor.ID, clock.Today(s.clock), clock.Now(s.clock)
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		var today int64
		if err := tx.Raw("SELECT COUNT(*) FROM media WHERE created_by = ? AND day = ?", row.CreatedBy, row.Day).Scan(&today).Error; err != nil {
			return err
		}
		if today >= maxDailyUploads && !actor.IsSystem() {
			return ErrDailyUploads
		}
		return tx.Create(&row).Error
	})
	if err != nil {
		return Item{}, fmt.Errorf("media: upload: %w", err)
	}
	if err := s.store.Put(ctx, row.ID, data); err != nil {
		return Item{}, fmt.Errorf("media: store: %w", err)
	}
	err = database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		return database.RequireRows(tx.Exec("UPDATE media SET stored_at = ? WHERE id = ?", clock.Now(s.clock), row.ID), 1)
	})
	if err != nil {
		return Item{}, fmt.Errorf("media: store: %w", err)
	}
	return Item{row.ID, row.Kind, row.ContentType, row.SizeBytes, row.Width, row.Height}, nil
}

// File is a file to be sent. It never changes under its key.
type File struct {
	ContentType string
	SHA256      string
	Data        []byte
}

// Open returns the file of a key, for everybody: it was uploaded to be shown,
// and its key cannot be guessed. ErrMissing.
func (s *Service) Open(ctx context.Context, key string) (File, error) {
	var rows []model.Media
	if err := s.db.Read(ctx).Where("id = ? AND stored_at IS NOT NULL", key).Find(&rows).Error; err != nil {
		return File{}, fmt.Errorf("media: open: %w", err)
	}
	if len(rows) == 0 {
		return File{}, ErrMissing
	}
	data, err := s.store.Get(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return File{}, ErrMissing
	}
	if err != nil {
		return File{}, fmt.Errorf("media: open: %w", err)
	}
	return File{ContentType: rows[0].ContentType, SHA256: rows[0].SHA256, Data: data}, nil
}

// Check adds a field fault unless the key is "" or names a stored file of the
// kind.
func Check(db *gorm.DB, f *fault.Fields, path string, kind Kind, key string) error {
	if key == "" {
		return nil
	}
	var n int64
	err := db.Raw("SELECT COUNT(*) FROM media WHERE id = ? AND kind = ? AND stored_at IS NOT NULL AND discarded_at IS NULL", key, kind).Scan(&n).Error
	if err != nil {
		return fmt.Errorf("media: check: %w", err)
	}
	f.Add(n == 1, path, "没有找到这个文件，请重新上传")
	return nil
}
