package miniprogram

import (
	"jiamenkou/internal/httpapi"
)

// routes is the route table: route, who may call it, operation id, tag, summary, handler.
func (s *server) routes(r *httpapi.Surface) {
	// Wallet.
	httpapi.Handle(r, "GET /wallet", httpapi.Resident, "get-wallet", "积分账户", "我的积分", s.getWallet)
	httpapi.Handle(r, "GET /wallet/entries", httpapi.Resident, "list-wallet-entries", "积分账户", "积分明细", s.listWalletEntries)
	httpapi.Handle(r, "GET /wallet/entries/{id}", httpapi.Resident, "get-wallet-entry", "积分账户", "为什么是这个数", s.getWalletEntry)
	httpapi.Handle(r, "GET /earnings/today", httpapi.Resident, "list-earnings-today", "积分账户", "今天能赚多少、已赚多少", s.listEarnings)
}
