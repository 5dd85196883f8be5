//go:build race

package ledger_test

// SQLite without cgo is ten times slower under the race detector.
const propertyRuns = 4
