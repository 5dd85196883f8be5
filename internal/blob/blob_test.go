package blob_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/blob"
)

func open(t *testing.T, maxBytes int64) (*blob.Disk, string) {
	t.Helper()
	parent := t.TempDir()
	store, err := blob.OpenDisk(filepath.Join(parent, "store"), maxBytes)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store, parent
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			names = append(names, name)
		}
		return err
	}))
	return names
}

func TestDisk(t *testing.T) {
	t.Run("gives back what was put", func(t *testing.T) {
		store, parent := open(t, 100)
		key := blob.NewKey()
		require.NoError(t, store.Put(t.Context(), key, []byte("hello")))
		data, err := store.Get(t.Context(), key)
		require.NoError(t, err)
		require.Equal(t, "hello", string(data))
		require.Equal(t, []string{filepath.Join(parent, "store", key[:2], key[2:4], key)}, files(t, parent), "no temporary file is left")
		require.NoError(t, store.Delete(t.Context(), key))
		require.NoError(t, store.Delete(t.Context(), key), "deleting again is no error")
		_, err = store.Get(t.Context(), key)
		require.ErrorIs(t, err, blob.ErrNotFound)
		require.Empty(t, files(t, parent))
	})
	t.Run("refuses what is too large and writes nothing", func(t *testing.T) {
		store, parent := open(t, 4)
		require.ErrorIs(t, store.Put(t.Context(), blob.NewKey(), []byte("hello")), blob.ErrTooLarge)
		require.Empty(t, files(t, parent))
	})
	t.Run("never overwrites", func(t *testing.T) {
		store, _ := open(t, 100)
		key := blob.NewKey()
		require.NoError(t, store.Put(t.Context(), key, []byte("first")))
		require.ErrorIs(t, store.Put(t.Context(), key, []byte("second")), blob.ErrExists)
		data, err := store.Get(t.Context(), key)
		require.NoError(t, err)
		require.Equal(t, "first", string(data))
	})
	t.Run("no key leads out of its folder", func(t *testing.T) {
		store, parent := open(t, 100)
		secret := filepath.Join(parent, "secret")
		require.NoError(t, os.WriteFile(secret, []byte("x"), 0o600))
		for _, key := range []string{
			"", ".", "..", "../secret", "/etc/passwd", strings.Repeat("../", 8) + "etc/passwd", strings.Repeat("a", 31), strings.Repeat("a", 33),
			strings.Repeat("A", 32), "../" + strings.Repeat("a", 29), strings.Repeat("a", 31) + "\n", strings.Repeat("a", 31) + "\x00",
		} {
			_, err := store.Get(t.Context(), key)
			require.ErrorIs(t, err, blob.ErrBadKey, "%q", key)
			require.ErrorIs(t, store.Put(t.Context(), key, []byte("x")), blob.ErrBadKey, "%q", key)
			require.ErrorIs(t, store.Delete(t.Context(), key), blob.ErrBadKey, "%q", key)
		}
		require.Equal(t, []string{secret}, files(t, parent))
	})
	t.Run("does not follow a link out of its folder", func(t *testing.T) {
		store, parent := open(t, 100)
		outside := filepath.Join(parent, "outside")
		require.NoError(t, os.Mkdir(outside, 0o750))
		key := blob.NewKey()
		require.NoError(t, os.Symlink(outside, filepath.Join(parent, "store", key[:2])))
		require.Error(t, store.Put(t.Context(), key, []byte("x")))
		require.Empty(t, files(t, outside))
	})
	t.Run("readers of a key that is being written see nothing or all", func(t *testing.T) {
		store, _ := open(t, 1<<20)
		whole := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
		key := blob.NewKey()
		var wrong atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for range 200 {
					if data, err := store.Get(context.Background(), key); err == nil && !bytes.Equal(data, whole) {
						wrong.Add(1)
					}
				}
			})
		}
		require.NoError(t, store.Put(t.Context(), key, whole))
		wg.Wait()
		require.Zero(t, wrong.Load())
	})
	t.Run("wants a folder and a limit", func(t *testing.T) {
		_, err := blob.OpenDisk("", 1)
		require.Error(t, err)
		_, err = blob.OpenDisk(t.TempDir(), 0)
		require.Error(t, err)
	})
}

func TestNewKey(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		key := blob.NewKey()
		require.True(t, blob.ValidKey(key))
		require.False(t, seen[key])
		seen[key] = true
	}
}
