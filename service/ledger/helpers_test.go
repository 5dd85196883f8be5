package ledger_test

import "jiamenkou/internal/paging"

func pageOf(limit int, cursor string) paging.Request {
	return paging.Request{Limit: limit, Cursor: cursor}
}
