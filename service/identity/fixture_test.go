package identity_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"gorm.io/gorm"

	"jiamenkou/internal/database"
	"jiamenkou/service/identity/identitytest"
)

const (
	secret   = identitytest.Secret
	password = identitytest.Password
	reason   = identitytest.Reason
)

type fixture = identitytest.Fixture

var (
	system     = identitytest.System
	config     = identitytest.Config
	newFixture = identitytest.New
	each       = identitytest.Each
)

// captureLogs collects everything that goes through slog.
func captureLogs(t *testing.T) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	return &out
}

func inTx(ctx context.Context, f *fixture, fn func(tx *gorm.DB) error) error {
	return database.InTx(ctx, f.DB, fn)
}

// idNumber makes a citizen identity number of that birth date: right in form,
// issued to nobody (area 000000).
func idNumber(birth string, serial string) string {
	s := "000000" + birth + serial
	sum := 0
	for i, w := range []int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2} {
		sum += int(s[i]-'0') * w
	}
	return s + strings.Split("1 0 X 9 8 7 6 5 4 3 2", " ")[sum%11]
}
