package ledger

import "jiamenkou/service/identity"

// ExportParts are the entries of a resident's wallet, for the copy that the
// resident may have: see identity.OnExport.
func (*Service) ExportParts() []identity.ExportPart {
	type row struct {
		identity.ExportRow
		Kind      string              `json:"kind"`
		Points    int64               `json:"points"`
		Source    string              `json:"source"`
		Reason    string              `json:"reason"`
		CreatedAt identity.ExportTime `json:"created_at"`
	}
	// The account of a wallet is "1" and the resident's id.
	return []identity.ExportPart{identity.NewExportPart[row]("transfer", "积分明细", "t.id",
		"j.kind, t.points, j.source_type AS source, j.reason, t.created_at",
		`(SELECT id, journal_id, amount AS points, created_at FROM transfer WHERE credit_account_id = CONCAT('1', @resident)
			UNION ALL SELECT id, journal_id, -amount AS points, created_at FROM transfer WHERE debit_account_id = CONCAT('1', @resident)) t
			JOIN journal j ON j.id = t.journal_id WHERE 1 = 1`)}
}
