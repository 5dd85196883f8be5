package databasetest

import (
	"os"
	"testing"
)

// RoundsVariable names the environment variable that makes the tests of
// crashes and lost commits run as often as a release wants it: "full".
const RoundsVariable = "JMK_TEST_ROUNDS"

// Rounds returns few, or full if JMK_TEST_ROUNDS=full asks for it.
func Rounds(t testing.TB, few, full int) int {
	t.Helper()
	switch v := os.Getenv(RoundsVariable); v {
	case "":
		return few
	case "full":
		return full
	default:
		t.Fatalf("%s is %q: leave it empty or set it to full", RoundsVariable, v)
		return 0
	}
}
