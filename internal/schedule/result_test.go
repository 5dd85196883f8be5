package schedule_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/schedule"
)

func TestCounts(t *testing.T) {
	counts := schedule.Counts{{"periods", 2}, {"statements", 0}}
	require.Equal(t, "periods=2 statements=0", counts.String())
	require.Equal(t, counts, schedule.ParseCounts(counts.String()))
	for _, words := range []string{"", "deleted 3", "sound", "periods=2 and more", "Periods=2", "periods=-1", "periods=9999999999999999999"} {
		require.Nil(t, schedule.ParseCounts(words), words)
	}
}

func FuzzParseCounts(f *testing.F) {
	f.Add("periods=2 statements=0")
	f.Add("deleted 3")
	f.Fuzz(func(t *testing.T, text string) {
		if counts := schedule.ParseCounts(text); counts != nil {
			require.Equal(t, counts, schedule.ParseCounts(counts.String()))
		}
	})
}
