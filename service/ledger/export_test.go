package ledger

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
	SubtreeQuery      = subtreeQuery(2)
)

// RangeQueries are the statements of an audit over a range of accounts.
func RangeQueries() map[string]string {
	out := map[string]string{}
	for _, c := range rangeChecks {
		out[c.name] = c.query
	}
	return out
}
