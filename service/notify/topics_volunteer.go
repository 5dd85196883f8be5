package notify

import (
	"context"
	"fmt"

	"jiamenkou/internal/authz"
	"jiamenkou/model"
)

// byOrganizers are in charge of service records: operators where a region has
// no organizer.
var byOrganizers = []authz.Role{authz.RoleOrganizer, authz.RoleOperator}

type correctionNotice struct {
	model.ServiceCorrection
	ActivityTitle, Day, Path string
}

func readCorrection(ctx context.Context, s *Service, id string) (correctionNotice, error) {
	return one[correctionNotice](ctx, s, `SELECT c.*, r.activity_title, r.day, g.path FROM service_correction c
		JOIN service_record r ON r.id = c.record_id JOIN region g ON g.id = c.region_id WHERE c.id = ?`, id)
}

// renderCorrectionAsked: the object is the correction; those in charge are told.
func renderCorrectionAsked(ctx context.Context, s *Service, n *Notice) (rendered, error) {
	c, err := readCorrection(ctx, s, n.ObjectID)
	if err != nil {
		return rendered{}, err
	}
	return rendered{regionPath: c.Path, inCharge: byOrganizers, text: text{
		title: "志愿者申请更正服务记录",
		body:  fmt.Sprintf("%s“%s”的服务记录有人申请更正，请核对后提议更正或答复。", c.Day, c.ActivityTitle),
		link:  "/corrections/" + c.ID,
	}}, nil
}

// renderCorrectionReviewed: the object is the correction; who proposed it is told.
func renderCorrectionReviewed(ctx context.Context, s *Service, n *Notice) (rendered, error) {
	c, err := readCorrection(ctx, s, n.ObjectID)
	if err != nil {
		return rendered{}, err
	}
	t := text{title: "您提议的更正已通过", body: fmt.Sprintf("%s“%s”的服务记录已更正。", c.Day, c.ActivityTitle), link: "/corrections/" + c.ID}
	if c.State == model.CorrectionRejected {
		t.title, t.body = "您提议的更正未通过", fmt.Sprintf("%s“%s”的更正未通过，原因请在更正详情中查看。", c.Day, c.ActivityTitle)
	}
	return rendered{text: t}, nil
}

// renderCorrectionSettled: the object is the correction; the volunteer is told.
func renderCorrectionSettled(ctx context.Context, s *Service, n *Notice) (rendered, error) {
	c, err := readCorrection(ctx, s, n.ObjectID)
	if err != nil {
		return rendered{}, err
	}
	t := text{link: "/service-records/" + c.RecordID}
	switch c.State {
	case model.CorrectionApproved:
		t.title, t.body = "服务记录已更正", fmt.Sprintf("您 %s“%s”的服务记录已更正，积分不变。", c.Day, c.ActivityTitle)
	default:
		t.title, t.body = "服务记录未更正", fmt.Sprintf("您 %s“%s”的服务记录没有更正，原因请在记录中查看。", c.Day, c.ActivityTitle)
	}
	return rendered{only: c.ResidentID, text: t}, nil
}

type certificateNotice struct {
	model.Certificate
	Path string
}

func readCertificate(ctx context.Context, s *Service, id string) (certificateNotice, error) {
	return one[certificateNotice](ctx, s, `SELECT c.*, g.path FROM certificate c JOIN region g ON g.id = c.region_id WHERE c.id = ?`, id)
}

// renderCertificateRequested: the object is the certificate; those in charge are told.
func renderCertificateRequested(ctx context.Context, s *Service, n *Notice) (rendered, error) {
	c, err := readCertificate(ctx, s, n.ObjectID)
	if err != nil {
		return rendered{}, err
	}
	return rendered{regionPath: c.Path, inCharge: byOrganizers, text: text{
		title: "志愿者申请服务时长证明", body: "有一份服务时长证明等待出具，请核对所列记录。", link: "/certificates/" + c.ID,
	}}, nil
}

// renderCertificateDecided: the object is the certificate; the volunteer is told.
func renderCertificateDecided(ctx context.Context, s *Service, n *Notice) (rendered, error) {
	c, err := readCertificate(ctx, s, n.ObjectID)
	if err != nil {
		return rendered{}, err
	}
	t := text{title: "服务时长证明已出具", body: "您申请的服务时长证明已出具，可以查看和下载。", link: "/certificates/" + c.ID}
	if c.State == model.CertificateRefused {
		t.title, t.body = "服务时长证明未出具", "您申请的服务时长证明没有出具，原因请在证明中查看。"
	}
	return rendered{only: c.ResidentID, text: t}, nil
}

// renderCertificateRevoked: the object is the certificate; the volunteer is told.
func renderCertificateRevoked(ctx context.Context, s *Service, n *Notice) (rendered, error) {
	c, err := readCertificate(ctx, s, n.ObjectID)
	if err != nil {
		return rendered{}, err
	}
	return rendered{only: c.ResidentID, text: text{
		title: "服务时长证明已撤销", body: "您的一份服务时长证明已撤销，不再有效，原因请在证明中查看。", link: "/certificates/" + c.ID,
	}}, nil
}
