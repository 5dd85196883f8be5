package paging_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/paging"
)

func key(s string) []string { return strings.Split(s, "/") }

func TestPages(t *testing.T) {
	rows := []string{"a/1", "b/2", "c/3"}
	t.Run("the extra row proves the next page", func(t *testing.T) {
		p := paging.Of(rows, paging.Request{Limit: 2}, key)
		require.Equal(t, rows[:2], p.Items)
		got, err := paging.Request{Cursor: p.Next}.Key(2)
		require.NoError(t, err)
		require.Equal(t, []string{"b", "2"}, got)
	})
	t.Run("the last page has no next", func(t *testing.T) {
		require.Empty(t, paging.Of(rows, paging.Request{Limit: 3}, key).Next)
	})
	t.Run("an empty page is a list in JSON", func(t *testing.T) {
		p := paging.Map(paging.Of[string](nil, paging.Request{}, key), strings.ToUpper)
		require.NotNil(t, p.Items)
		require.Empty(t, p.Items)
	})
	t.Run("limits are kept within their bounds", func(t *testing.T) {
		for in, want := range map[int]int{-1: 20, 0: 20, 1: 1, 100: 100, 101: 100, 1 << 30: 100} {
			require.Equal(t, want, paging.Request{Limit: in}.Size())
		}
	})
	t.Run("the first page has no key", func(t *testing.T) {
		got, err := paging.Request{}.Key(2)
		require.NoError(t, err)
		require.Nil(t, got)
	})
}

func FuzzCursor(f *testing.F) {
	next := paging.Of([]string{"2026-03-01/01KJKB3Q00J6ZFGWBHSZT8HNC7", "x/y"}, paging.Request{Limit: 1}, key).Next
	for _, seed := range []string{next, "", "!", "AAAA", "Hx8f", strings.Repeat("A", 1<<12), next + "=", "\x1f", "\r"} {
		f.Add(seed, 2)
	}
	f.Fuzz(func(t *testing.T, cursor string, n int) {
		parts, err := paging.Request{Cursor: cursor}.Key(n)
		if err != nil {
			require.ErrorIs(t, err, paging.ErrCursor)
			require.Nil(t, parts)
			return
		}
		if cursor == "" {
			return
		}
		require.Len(t, parts, n)
		if strings.Join(parts, "") == "" && n == 1 {
			return // line breaks only: base64 skips them, and what is left is the empty key
		}
		// What was taken for a cursor is one: it names the same place again.
		again := paging.Of([]int{1, 2}, paging.Request{Limit: 1}, func(int) []string { return parts }).Next
		same, err := paging.Request{Cursor: again}.Key(n)
		require.NoError(t, err)
		require.Equal(t, parts, same)
	})
}
