package demo

import (
	"bytes"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Covers are loaded on every phone that opens the demo, over mobile data.
const maxCoverBytes = 25 << 10

func TestCover(t *testing.T) {
	seen := map[string]string{}
	for motif := range motifs {
		for n, p := range palettes {
			var first, again bytes.Buffer
			require.NoError(t, jpeg.Encode(&first, draw(motif, p), &jpeg.Options{Quality: coverQuality}))
			require.NoError(t, jpeg.Encode(&again, draw(motif, p), &jpeg.Options{Quality: coverQuality}))
			require.Equal(t, first.Bytes(), again.Bytes(), "the same every time")
			require.Less(t, first.Len(), maxCoverBytes, motif)
			require.Empty(t, seen[first.String()], "two covers alike")
			seen[first.String()] = motif
			if dir := os.Getenv("JMK_TEST_COVERS"); dir != "" { // to look at them
				require.NoError(t, os.WriteFile(filepath.Join(dir, motif+string(rune('0'+n))+".jpg"), first.Bytes(), 0o600)) //nolint:gosec // the developer names the folder
			}
		}
	}
}
