package volunteer

import "jiamenkou/service/identity"

// ExportParts are what volunteer holds about a resident, for the copy that the
// resident may have: see identity.OnExport.
func (*Service) ExportParts() []identity.ExportPart {
	return []identity.ExportPart{
		identity.NewExportPart[exportedSignup]("signup", "志愿活动报名与签到", "g.id", `v.title AS activity, h.starts_at, h.ends_at, g.status, g.created_at,
			COALESCE(a.status, '') AS attendance, a.check_in_at, COALESCE(a.check_in_verdict, '') AS check_in_place, a.check_out_at,
			COALESCE(a.check_out_verdict, '') AS check_out_place, a.check_in_lon AS lon, a.check_in_lat AS lat, a.check_out_lon AS out_lon, a.check_out_lat AS out_lat`,
			`signup g JOIN activity_shift h ON h.id = g.shift_id JOIN activity v ON v.id = h.activity_id LEFT JOIN attendance a ON a.signup_id = g.id
			WHERE g.resident_id = @resident`),
		identity.NewExportPart[exportedRecord]("service_record", "志愿服务记录", "r.id", `r.kind, r.state, r.activity_title AS activity, r.day, r.started_at, r.ended_at,
			r.minutes, r.place_name, r.beneficiary, r.content, r.quality_rating, r.person_in_charge, r.recorder_name, r.reason`,
			"service_record r WHERE r.resident_id = @resident"),
		identity.NewExportPart[exportedCorrection]("service_correction", "服务记录的更正", "c.id", `c.record_id, c.state, c.asked_text, c.reason, c.minutes, c.proposer_name,
			c.decision_reason, c.created_at, c.decided_at`, "service_correction c WHERE c.resident_id = @resident"),
		identity.NewExportPart[exportedCertificate]("certificate", "志愿服务证明", "c.id", `c.state, c.purpose, c.from_day, c.to_day, COALESCE(c.number, '') AS number, c.issuer,
			COALESCE(c.issued_on, '') AS issued_on, c.total_minutes, c.reason, c.created_at`, "certificate c WHERE c.resident_id = @resident"),
	}
}

type (
	exportedSignup struct {
		identity.ExportRow
		Activity      string               `json:"activity"`
		StartsAt      identity.ExportTime  `json:"starts_at"`
		EndsAt        identity.ExportTime  `json:"ends_at"`
		Status        string               `json:"status"`
		CreatedAt     identity.ExportTime  `json:"created_at"`
		Attendance    string               `json:"attendance"`
		CheckInAt     *identity.ExportTime `json:"check_in_at"`
		CheckInPlace  string               `json:"check_in_verdict"`
		CheckOutAt    *identity.ExportTime `json:"check_out_at"`
		CheckOutPlace string               `json:"check_out_verdict"`
		Lon           *float64             `json:"check_in_lon"` // gone after a few weeks
		Lat           *float64             `json:"check_in_lat"`
		OutLon        *float64             `json:"check_out_lon"`
		OutLat        *float64             `json:"check_out_lat"`
	}
	exportedRecord struct {
		identity.ExportRow
		Kind           string              `json:"kind"`
		State          string              `json:"state"`
		Activity       string              `json:"activity"`
		Day            string              `json:"day"`
		StartedAt      identity.ExportTime `json:"started_at"`
		EndedAt        identity.ExportTime `json:"ended_at"`
		Minutes        int64               `json:"minutes"`
		PlaceName      string              `json:"place_name"`
		Beneficiary    string              `json:"beneficiary"`
		Content        string              `json:"content"`
		QualityRating  *int64              `json:"quality_rating"`
		PersonInCharge string              `json:"person_in_charge"`
		RecorderName   string              `json:"recorder_name"`
		Reason         string              `json:"reason"`
	}
	exportedCorrection struct {
		identity.ExportRow
		RecordID       string               `json:"record_id"`
		State          string               `json:"state"`
		AskedText      string               `json:"asked_text"`
		Reason         string               `json:"reason"`
		Minutes        *int64               `json:"minutes"`
		ProposerName   string               `json:"proposer_name"`
		DecisionReason string               `json:"decision_reason"`
		CreatedAt      identity.ExportTime  `json:"created_at"`
		DecidedAt      *identity.ExportTime `json:"decided_at"`
	}
	exportedCertificate struct {
		identity.ExportRow
		State        string              `json:"state"`
		Purpose      string              `json:"purpose"`
		FromDay      string              `json:"from_day"`
		ToDay        string              `json:"to_day"`
		Number       string              `json:"number"`
		Issuer       string              `json:"issuer"`
		IssuedOn     string              `json:"issued_on"`
		TotalMinutes int64               `json:"total_minutes"`
		Reason       string              `json:"reason"`
		CreatedAt    identity.ExportTime `json:"created_at"`
	}
)
