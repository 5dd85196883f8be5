//go:build !race

package region_test

// A whole province's counties, towns and villages.
const provinceRows = 22_000
