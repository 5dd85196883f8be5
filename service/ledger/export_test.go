package ledger

import "slices"

// Statements whose plans a test looks at.
var (
	UnlinkedQuery     = unlinkedQuery
	AnyUnlinkedQuery  = anyUnlinkedQuery
	ScanBoundQuery    = scanBoundQuery
	LastTransferQuery = lastTransferQuery
	HeadsQuery        = headsQuery
	HeadsAsOfQuery    = headsAsOfQuery
	ChangedQuery      = changedQuery
	NextBatchQuery    = nextBatchQuery
	BucketsQuery      = bucketsQuery
	NodesQuery        = nodesQuery
	PathQuery         = pathQuery()
	LotsQuery         = lotsQuery
	LinkQuery         = linkQuery
	CoveredQuery      = coveredQuery
	SubtreeQuery      = subtreeQuery(2)
)

// RangeQueries are the statements of an audit over a range of accounts or of
// journal rows.
func RangeQueries() map[string]string {
	out := map[string]string{}
	for _, c := range slices.Concat(rangeChecks, journalChecks) {
		out[c.Name] = c.Query
	}
	return out
}
