package casework

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/blob"
	"jiamenkou/internal/clock"
	"jiamenkou/internal/database"
	"jiamenkou/internal/picture"
	"jiamenkou/internal/queue"
	"jiamenkou/model"
)

// Picture is an uploaded picture as its viewer sees it.
type Picture struct {
	ID     string
	Seq    int64 // of the history row that brought it; 0: none yet
	Status ContentStatus
	URL    string // path and query, valid for Config.LinkTTL; "" if it was rejected
	Width  int64
	Height int64
}

// MaxUploadBytes is the largest file that the upload operations read; Config
// may keep it lower.
const MaxUploadBytes = 5 << 20

// Upload takes one picture of a resident or of staff in: at most 5 MB of JPEG
// or PNG. What is kept is scaled down and free of EXIF. A resident's picture
// is pending until WeChat passes it. An upload that no report uses is deleted
// after a day.
//
// Errors: ErrNotPicture, ErrPictureTooLarge, ErrDailyUploads, ErrUploadsBusy.
func (s *Service) Upload(ctx context.Context, actor authz.Actor, data []byte) (Picture, error) {
	if actor.Kind != authz.KindResident && !actor.Has(handlers...) {
		return Picture{}, authz.ErrForbidden
	}
	if err := s.mayUpload(ctx, actor.ID); err != nil {
		return Picture{}, err
	}
	img, err := s.decode(ctx, data)
	if err != nil {
		return Picture{}, err
	}
	sum := sha256.Sum256(img.JPEG)
	row := model.Attachment{
		OwnerKind: string(actor.Kind), OwnerID: actor.ID, SHA256: hex.EncodeToString(sum[:]), SizeBytes: int64(len(img.JPEG)),
		ContentType: picture.ContentType, Width: int64(img.Width), Height: int64(img.Height), Status: model.ContentPending,
	}
	if actor.Kind == authz.KindStaff { // the law's check is for what the public writes
		row.Status, row.DecidedBy = model.ContentPassed, actor.ID
	}
	if err := s.keep(ctx, &row, img.JPEG); err != nil {
		return Picture{}, err
	}
	return s.pictureOf(row, 0), nil
}

// mayUpload refuses who has used the day's uploads up before work is spent on
// one more; keep counts under a lock.
func (s *Service) mayUpload(ctx context.Context, ownerID string) error {
	var used []int64
	err := s.db.Read(ctx).Raw(`SELECT uploads FROM case_quota WHERE owner_id = ? AND day = ?`, ownerID, clock.Today(s.clock)).Scan(&used).Error
	if err != nil {
		return fmt.Errorf("casework: quota: %w", err)
	}
	if len(used) > 0 && used[0] >= s.cfg.DailyUploads {
		return ErrDailyUploads
	}
	return nil
}

// decode bounds how many pictures are in memory at a time.
func (s *Service) decode(ctx context.Context, data []byte) (picture.Picture, error) {
	timer := time.NewTimer(s.cfg.DecodeWait)
	defer timer.Stop()
	select {
	case s.decodes <- struct{}{}:
		defer func() { <-s.decodes }()
	case <-timer.C:
		return picture.Picture{}, ErrUploadsBusy
	case <-ctx.Done():
		return picture.Picture{}, fmt.Errorf("casework: upload: %w", ctx.Err())
	}
	img, err := picture.Intake(data, s.cfg.Picture)
	switch {
	case errors.Is(err, picture.ErrTooLarge):
		return picture.Picture{}, ErrPictureTooLarge
	case errors.Is(err, picture.ErrNotPicture):
		return picture.Picture{}, ErrNotPicture
	}
	return img, err
}

// keep writes the row, then the bytes, then that they are there: whatever
// fails in between leaves a row that the orphan job finds.
func (s *Service) keep(ctx context.Context, row *model.Attachment, data []byte) error {
	err := database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		row.ID, row.StorageKey, row.CreatedAt = s.clock.NewID(), blob.NewKey(), s.now()
		quota, err := s.countTx(tx, row.OwnerID, "uploads")
		if err != nil {
			return err
		}
		if quota.Uploads > s.cfg.DailyUploads {
			return ErrDailyUploads
		}
		return tx.Create(row).Error
	})
	if err != nil {
		return err
	}
	if err := s.store.Put(ctx, row.StorageKey, data); err != nil {
		return fmt.Errorf("casework: store picture: %w", err)
	}
	return database.InTx(ctx, s.db, func(tx *gorm.DB) error {
		res := tx.Exec(`UPDATE attachment SET stored_at = ? WHERE id = ? AND discarded_at IS NULL`, s.now(), row.ID)
		if err := database.RequireRows(res, 1); err != nil {
			return fmt.Errorf("casework: store picture: %w", err)
		}
		if row.Status != model.ContentPending {
			return nil
		}
		return queue.EnqueueTx(ctx, tx, s.clock, queue.Job{Kind: JobCheckImage, UniqueKey: row.ID, Payload: CheckImageJob{AttachmentID: row.ID}})
	})
}

// claimTx takes the actor's own unused uploads for a case: all or none.
func (s *Service) claimTx(tx *gorm.DB, actor authz.Actor, ids []string, now clock.Instant) error {
	if len(ids) == 0 {
		return nil
	}
	res := tx.Exec(`UPDATE attachment SET attached_at = ? WHERE id IN ? AND owner_kind = ? AND owner_id = ?
		AND attached_at IS NULL AND discarded_at IS NULL AND stored_at IS NOT NULL AND status <> ?`,
		now, slices.Sorted(slices.Values(ids)), string(actor.Kind), actor.ID, model.ContentRejected)
	if res.Error == nil && res.RowsAffected != int64(len(ids)) {
		return ErrPictureUse
	}
	return res.Error
}

func (s *Service) tieTx(tx *gorm.DB, caseID string, seq int64, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	rows := make([]model.CaseAttachment, 0, len(ids))
	for i, id := range ids {
		rows = append(rows, model.CaseAttachment{AttachmentID: id, CaseID: caseID, Seq: seq, Position: int64(i)})
	}
	return tx.Create(&rows).Error
}

func (s *Service) attachTx(tx *gorm.DB, actor authz.Actor, caseID string, seq int64, ids []string, now clock.Instant) error {
	if err := s.claimTx(tx, actor, ids, now); err != nil {
		return err
	}
	return s.tieTx(tx, caseID, seq, ids)
}

// LinkPath is where both surfaces' clients, and WeChat, fetch pictures:
// LinkPath + "{key}?exp=…&sig=…".
const LinkPath = "/mp/v1/attachments/"

func (s *Service) link(key string, ttl time.Duration) string {
	exp := strconv.FormatInt(s.clock.Now().Add(ttl).Unix(), 10)
	return LinkPath + key + "?exp=" + exp + "&sig=" + s.sign(key, exp)
}

func (s *Service) sign(key, exp string) string {
	mac := hmac.New(sha256.New, []byte(s.cfg.LinkSecret))
	mac.Write([]byte("jiamenkou picture v1\n" + key + "\n" + exp))
	return hex.EncodeToString(mac.Sum(nil))
}

func (s *Service) pictureOf(a model.Attachment, seq int64) Picture {
	p := Picture{ID: a.ID, Seq: seq, Status: a.Status, Width: a.Width, Height: a.Height}
	if a.Status != model.ContentRejected {
		p.URL = s.link(a.StorageKey, s.cfg.LinkTTL)
	}
	return p
}

// File is the bytes of a picture.
type File struct {
	Data        []byte
	ContentType string
	SHA256      string
}

// OpenLink returns the picture of a signed link: whoever was given the link
// may see it until it expires, unless it was rejected meanwhile.
// Errors: ErrLink, ErrPictureNotFound, ErrPictureRejected.
func (s *Service) OpenLink(ctx context.Context, key, exp, sig string) (File, error) {
	if !blob.ValidKey(key) || !hmac.Equal([]byte(sig), []byte(s.sign(key, exp))) {
		return File{}, ErrLink
	}
	until, err := strconv.ParseInt(exp, 10, 64)
	if err != nil || s.clock.Now().Unix() >= until {
		return File{}, ErrLink
	}
	var rows []model.Attachment
	if err := s.db.Read(ctx).Where("storage_key = ?", key).Limit(1).Find(&rows).Error; err != nil {
		return File{}, fmt.Errorf("casework: picture: %w", err)
	}
	if len(rows) == 0 {
		return File{}, ErrPictureNotFound
	}
	return s.open(ctx, rows[0])
}

// OpenPicture returns a picture to its owner, to the reporter of its case
// (once it passed) and to staff over the region of its case.
// Errors: ErrPictureNotFound, ErrPictureRejected.
func (s *Service) OpenPicture(ctx context.Context, actor authz.Actor, attachmentID string) (File, error) {
	a, err := s.picture(ctx, actor, attachmentID)
	if err != nil {
		return File{}, err
	}
	return s.open(ctx, a.Attachment)
}

func (s *Service) open(ctx context.Context, a model.Attachment) (File, error) {
	switch {
	case a.DiscardedAt != nil || a.StoredAt == nil:
		return File{}, ErrPictureNotFound
	case a.Status == model.ContentRejected:
		return File{}, ErrPictureRejected
	}
	data, err := s.store.Get(ctx, a.StorageKey)
	if errors.Is(err, blob.ErrNotFound) {
		return File{}, ErrPictureNotFound
	}
	if err != nil {
		return File{}, fmt.Errorf("casework: picture: %w", err)
	}
	return File{Data: data, ContentType: a.ContentType, SHA256: a.SHA256}, nil
}

// usedPicture is a picture and the case that uses it, if one does.
type usedPicture struct {
	model.Attachment
	ReporterID string
	RegionPath string
}

// picture reads a picture that the actor may see.
func (s *Service) picture(ctx context.Context, actor authz.Actor, id string) (usedPicture, error) {
	var rows []usedPicture
	err := s.db.Read(ctx).Raw(`SELECT a.*, COALESCE(c.reporter_id, '') AS reporter_id, COALESCE(r.path, '') AS region_path
		FROM attachment a LEFT JOIN case_attachment ca ON ca.attachment_id = a.id LEFT JOIN case_file c ON c.id = ca.case_id
		LEFT JOIN region r ON r.id = c.region_id WHERE a.id = ?`, id).Scan(&rows).Error
	if err != nil {
		return usedPicture{}, fmt.Errorf("casework: picture: %w", err)
	}
	if len(rows) == 0 {
		return usedPicture{}, ErrPictureNotFound
	}
	a := rows[0]
	owns := a.OwnerKind == string(actor.Kind) && a.OwnerID == actor.ID
	told := actor.Kind == authz.KindResident && a.ReporterID == actor.ID && a.Status == model.ContentPassed
	judges := actor.Kind != authz.KindResident && a.RegionPath != "" && actor.InRegion(a.RegionPath, readers...) == nil
	if !owns && !told && !judges {
		return usedPicture{}, ErrPictureNotFound
	}
	return a, nil
}
