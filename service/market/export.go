package market

import "jiamenkou/service/identity"

// ExportParts are what market holds about a resident, for the copy that the
// resident may have: see identity.OnExport.
func (*Service) ExportParts() []identity.ExportPart {
	type row struct {
		identity.ExportRow
		Benefit     string               `json:"benefit"`
		Merchant    string               `json:"merchant"`
		Store       string               `json:"store"`
		Points      int64                `json:"points"`
		CashFen     int64                `json:"cash_fen"`
		Status      string               `json:"status"`
		CreatedAt   identity.ExportTime  `json:"created_at"`
		RedeemUntil identity.ExportTime  `json:"redeem_until"`
		RedeemedAt  *identity.ExportTime `json:"redeemed_at"`
	}
	return []identity.ExportPart{identity.NewExportPart[row]("benefit_order", "兑换单", "o.id",
		`b.title AS benefit, m.name AS merchant, COALESCE(s.name, '') AS store, o.points, o.cash_fen, o.status, o.created_at, o.redeem_until,
			x.created_at AS redeemed_at`,
		`benefit_order o JOIN benefit b ON b.id = o.benefit_id JOIN merchant m ON m.id = o.merchant_id
			LEFT JOIN redemption x ON x.order_id = o.id LEFT JOIN merchant_store s ON s.id = x.store_id WHERE o.resident_id = @resident`)}
}
