package volunteer

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/skip2/go-qrcode"

	"jiamenkou/internal/authz"
	"jiamenkou/internal/pdf"
	"jiamenkou/model"
)

// verifyPage is where the residents' app checks a certificate; its hash keeps
// number and code out of every server's log.
const verifyPage = "/#/earn/certificate-verify/index"

// VerifyURL is the public page of an issued certificate.
func (s *Service) VerifyURL(c Certificate) string {
	query := url.Values{"number": {*c.Number}, "code": {*c.CheckCode}}
	return s.cfg.PublicURL + verifyPage + "?" + query.Encode()
}

// CertificateFile is an issued certificate as PDF: for the volunteer, or for
// an organizer or operator over its region, whose look at the name is
// recorded. A revoked one is no file any more. Errors: ErrCertificateMissing,
// ErrNotIssued, ErrNoRealName (the account is deleted).
func (s *Service) CertificateFile(ctx context.Context, actor authz.Actor, id string) (name string, file []byte, err error) {
	db := s.db.Read(ctx)
	c, path, err := certificateRow(db, "c.id = ?", id)
	if err != nil {
		return "", nil, err
	}
	own := actor.Resident() == nil && c.ResidentID == actor.ID
	if !own && (requireStaff(actor) != nil || actor.InRegion(path, organizers...) != nil) {
		return "", nil, ErrCertificateMissing
	}
	if c.State != model.CertificateIssued {
		return "", nil, ErrNotIssued
	}
	holder, err := s.nameOf(ctx, actor, c.ResidentID)
	if err != nil {
		return "", nil, err
	}
	records, err := coveredRecords(db, c.ID)
	if err != nil {
		return "", nil, err
	}
	file, err = s.certificateFile(c, holder, records)
	return "certificate-" + *c.Number + ".pdf", file, err
}

// certificateFile lays the fields out that 民政部令第67号 and 民发〔2015〕149号 ask for.
func (s *Service) certificateFile(c Certificate, holder string, records []model.ServiceRecord) ([]byte, error) {
	code, err := qrcode.New(s.VerifyURL(c), qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("volunteer: code of a certificate: %w", err)
	}
	code.DisableBorder = true
	d := pdf.New("志愿服务记录证明 "+*c.Number, "证明编号 "+*c.Number+"　校验码 "+*c.CheckCode)
	d.Corner(code.Image(-4), 76, "扫码核验")
	d.Gap(64)
	d.Centred(pdf.Title, "志愿服务记录证明")
	d.Gap(14)
	d.Field("证明编号", *c.Number)
	d.Field("校验码", *c.CheckCode)
	d.Field("志愿者姓名", holder)
	d.Field("志愿者编号", c.VolunteerNumber)
	d.Field("服务期间", dayText(c.FromDay.Start().Time())+"至"+dayText(c.ToDay.Start().Time()))
	d.Field("用途", c.Purpose)
	d.Gap(10)
	d.Paragraph(pdf.Large, fmt.Sprintf("　　兹证明%s在上述期间参加志愿服务 %d 次，记录服务时长共 %s。服务时长不含交通、用餐和休息时间，明细见后。",
		holder, c.RecordCount, duration(c.TotalMinutes)))
	d.Paragraph(pdf.Large, "　　特此证明。")
	d.Gap(12)
	d.Field("出具单位", c.Issuer)
	d.Field("出具日期", dayText(c.IssuedOn.Start().Time()))
	d.Field("经办人", c.HandlerName)
	d.Field("联系电话", c.HandlerPhone)
	d.Gap(10)
	d.Rule()
	d.Paragraph(pdf.Large, "服务记录明细")
	for i, r := range records {
		writeRecord(d, i+1, r)
	}
	d.Gap(6)
	d.Rule()
	d.Note(pdf.Small, "任何人都可以扫描右上角的二维码，或在下面的网址填写证明编号和校验码，核对本证明的真伪和内容：")
	d.Note(pdf.Small, s.cfg.PublicURL+verifyPage)
	return d.Bytes()
}

// mostContent is how much of a record's content a certificate prints.
const mostContent = 200

func writeRecord(d *pdf.Document, n int, r model.ServiceRecord) {
	d.Keep(pdf.Body, 6)
	d.Gap(6)
	d.Paragraph(pdf.Body, fmt.Sprintf("%d. %s", n, r.ActivityTitle))
	d.Field("服务时间", fmt.Sprintf("%s %s–%s，计 %d 分钟", dayText(r.StartedAt.Time()), r.StartedAt.Time().Format("15:04"), r.EndedAt.Time().Format("15:04"), r.Minutes))
	d.Field("地点", r.PlaceName)
	d.Field("服务对象", r.Beneficiary)
	d.Field("服务内容", shortened(strings.Join(strings.Fields(r.Content), " "), mostContent))
	d.Field("质量评价", qualityText(r.QualityRating))
	d.Field("负责人、记录人", r.PersonInCharge+"、"+r.RecorderName)
}

func shortened(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

func qualityText(rating *int64) string {
	if rating == nil {
		return "未评价"
	}
	return fmt.Sprintf("%d 星（最多 5 星）", *rating)
}

func dayText(t time.Time) string { return t.Format("2006年1月2日") }

// duration writes minutes as people read them.
func duration(minutes int64) string {
	switch hours, rest := minutes/60, minutes%60; {
	case hours == 0:
		return fmt.Sprintf("%d 分钟", rest)
	case rest == 0:
		return fmt.Sprintf("%d 小时", hours)
	default:
		return fmt.Sprintf("%d 小时 %d 分钟", hours, rest)
	}
}
