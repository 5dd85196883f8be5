//go:build race

package region_test

// Under the race detector the embedded SQLite is ten times slower, and the
// count of statements is what the province test is about.
const provinceRows = 3_000
