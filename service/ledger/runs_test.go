//go:build !race

package ledger_test

const propertyRuns = 15
