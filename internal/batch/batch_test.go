package batch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"jiamenkou/internal/batch"
	"jiamenkou/internal/database"
	"jiamenkou/internal/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Every test with more than one goroutine runs in a bubble of synctest: its
// time stands still while anybody can go on, and synctest.Wait returns when
// nobody can. Nothing here depends on the speed of the machine.

// gate is a run that notes its batches and waits to be let through.
type gate struct {
	mu      sync.Mutex
	batches [][]int
	open    chan struct{} // one receive per run
	result  func(items []int) ([]batch.Result[int], error)
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

func (g *gate) run(_ context.Context, items []int) ([]batch.Result[int], error) {
	g.mu.Lock()
	g.batches = append(g.batches, items)
	g.mu.Unlock()
	<-g.open
	if g.result != nil {
		return g.result(items)
	}
	return squares(items), nil
}

// letAll lets every run through from now on.
func (g *gate) letAll() { close(g.open) }

func (g *gate) seen() [][]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([][]int(nil), g.batches...)
}

func squares(items []int) []batch.Result[int] {
	out := make([]batch.Result[int], len(items))
	for i, n := range items {
		out[i].Value = n * n
	}
	return out
}

func oneKey(int) string { return "" }

// calls starts Do for each number in turn and waits until each is queued.
type calls struct {
	mu      sync.Mutex
	done    sync.WaitGroup
	values  map[int]int
	errs    map[int]error
	returns []int // in the order of returning
}

func start(ctx context.Context, c *batch.Combiner[int, int], numbers ...int) *calls {
	all := &calls{values: map[int]int{}, errs: map[int]error{}}
	for _, n := range numbers {
		all.done.Go(func() {
			v, err := c.Do(ctx, n)
			all.mu.Lock()
			defer all.mu.Unlock()
			all.values[n], all.errs[n] = v, err
			all.returns = append(all.returns, n)
		})
		synctest.Wait()
	}
	return all
}

func (c *calls) requireSquares(t *testing.T) {
	t.Helper()
	c.done.Wait()
	for n, err := range c.errs {
		require.NoError(t, err)
		require.Equal(t, n*n, c.values[n])
	}
}

func TestDo(t *testing.T) {
	t.Run("one that finds nothing running starts at once, and what came meanwhile goes together", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g, began := newGate(), time.Now()
			c := batch.New(batch.Config{Lanes: 1}, oneKey, g.run)
			all := start(t.Context(), c, 1, 2, 3, 4)
			g.letAll()
			all.requireSquares(t)
			require.Equal(t, [][]int{{1}, {2, 3, 4}}, g.seen())
			require.Zero(t, time.Since(began), "nobody waited for a clock")
			require.Equal(t, batch.Stats{Batches: 2, Items: 4}, c.Stats())
		})
	})
	t.Run("a batch is no larger than it may be", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			c := batch.New(batch.Config{Lanes: 1, MaxItems: 2}, oneKey, g.run)
			all := start(t.Context(), c, 1, 2, 3, 4, 5, 6)
			g.letAll()
			all.requireSquares(t)
			require.Equal(t, [][]int{{1}, {2, 3}, {4, 5}, {6}}, g.seen())
		})
	})
	t.Run("waits a little for those who were just answered, and alone for nobody", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g, began := newGate(), time.Now()
			c := batch.New(batch.Config{Lanes: 1, MaxWait: time.Second}, oneKey, g.run)
			all := start(t.Context(), c, 1, 2, 3, 4)
			require.Equal(t, [][]int{{1}}, g.seen(), "nobody was there before the first")
			g.letAll()
			all.requireSquares(t)
			require.Equal(t, time.Second, time.Since(began), "the first did not come back")
			synctest.Wait() // until the lane rests again
			start(t.Context(), c, 5, 6, 7).requireSquares(t)
			require.Equal(t, time.Second, time.Since(began), "with the third all were there")
			synctest.Wait()
			start(t.Context(), c, 8).requireSquares(t)
			require.Equal(t, 2*time.Second, time.Since(began), "two did not come back")
			synctest.Wait()
			start(t.Context(), c, 9).requireSquares(t)
			require.Equal(t, 2*time.Second, time.Since(began), "alone again")
			require.Equal(t, [][]int{{1}, {2, 3, 4}, {5, 6, 7}, {8}, {9}}, g.seen())
		})
	})
	t.Run("no longer than until a whole batch is there", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g, began := newGate(), time.Now()
			c := batch.New(batch.Config{Lanes: 1, MaxItems: 2, MaxWait: time.Second}, oneKey, g.run)
			all := start(t.Context(), c, 1, 2, 3)
			g.letAll()
			all.requireSquares(t)
			require.Zero(t, time.Since(began))
			require.Equal(t, [][]int{{1}, {2, 3}}, g.seen())
		})
	})
	t.Run("refuses what would wait beyond the length of the queue", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			c := batch.New(batch.Config{Lanes: 1, QueueLength: 2}, oneKey, g.run)
			all := start(t.Context(), c, 1, 2, 3) // one runs, two wait
			_, err := c.Do(t.Context(), 4)
			require.ErrorIs(t, err, batch.ErrFull)
			require.Equal(t, fault.Unavailable, fault.KindOf(err))
			require.Equal(t, "batch.full", fault.As(err).Code)
			require.Positive(t, fault.As(err).RetryAfter)
			require.Equal(t, batch.Stats{Batches: 1, Items: 1, Full: 1, Waiting: 2}, c.Stats())
			g.letAll()
			all.requireSquares(t)
			require.Equal(t, [][]int{{1}, {2, 3}}, g.seen())
		})
	})
	t.Run("each item has its own answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			odd := errors.New("odd")
			g := newGate()
			g.result = func(items []int) ([]batch.Result[int], error) {
				out := squares(items)
				for i, n := range items {
					if n%2 == 1 {
						out[i] = batch.Result[int]{Err: odd}
					}
				}
				return out, nil
			}
			c := batch.New(batch.Config{Lanes: 1}, oneKey, g.run)
			all := start(t.Context(), c, 1, 2, 3, 4)
			g.letAll()
			all.done.Wait()
			require.Equal(t, map[int]error{1: odd, 2: nil, 3: odd, 4: nil}, all.errs)
			require.Equal(t, map[int]int{1: 0, 2: 4, 3: 0, 4: 16}, all.values)
			require.Zero(t, c.Stats().Fallbacks)
		})
	})
}

func TestLanes(t *testing.T) {
	parity := func(n int) string { return []string{"even", "odd"}[n%2] }
	t.Run("one key is never in two runs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			c := batch.New(batch.Config{Lanes: 64}, oneKey, g.run)
			all := start(t.Context(), c, 1, 2, 3)
			require.Equal(t, [][]int{{1}}, g.seen())
			g.letAll()
			all.requireSquares(t)
		})
	})
	t.Run("different keys run beside each other", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			c := batch.New(batch.Config{Lanes: 2}, parity, g.run)
			all := start(t.Context(), c, 1, 2)
			require.Len(t, g.seen(), 2)
			g.letAll()
			all.requireSquares(t)
		})
	})
}

// A run takes its lane's part of all who are about, when they are many, and
// leaves alone who has the same key as one of another run.
func TestLanes_share(t *testing.T) {
	const callers = 64
	numbers := make([]int, callers)
	for i := range numbers {
		numbers[i] = i
	}
	sizes := func(g *gate) (out []int) {
		for _, b := range g.seen() {
			out = append(out, len(b))
		}
		return out
	}
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		c := batch.New(batch.Config{Lanes: 2}, func(n int) string { return strconv.Itoa(n) }, g.run)
		all := start(t.Context(), c, numbers...)
		require.Equal(t, []int{1, 1}, sizes(g), "those who found nothing running")
		g.open <- struct{}{}
		synctest.Wait()
		require.Equal(t, []int{1, 1, 32}, sizes(g))
		g.open <- struct{}{}
		synctest.Wait()
		require.Equal(t, []int{1, 1, 32, 30}, sizes(g), "both lanes have half")
		g.letAll()
		all.requireSquares(t)
	})
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		c := batch.New(batch.Config{Lanes: 2}, func(n int) string { return strconv.Itoa(n % 2) }, g.run)
		all := start(t.Context(), c, numbers...)
		g.open <- struct{}{} // number 0
		synctest.Wait()
		require.Equal(t, [][]int{{0}, {1}}, g.seen()[:2])
		for _, n := range g.seen()[2] {
			require.Zero(t, n%2, "the odd ones are under way")
		}
		g.letAll()
		all.requireSquares(t)
	})
}

func TestFallback(t *testing.T) {
	poison := errors.New("poison")
	t.Run("items of a failed batch are run one by one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			g.result = func(items []int) ([]batch.Result[int], error) {
				if slices.Contains(items, 3) {
					return nil, poison
				}
				return squares(items), nil
			}
			var why error
			c := batch.New(batch.Config{Lanes: 1, OnFallback: func(err error, items int) {
				require.Equal(t, 3, items)
				why = err
			}}, oneKey, g.run)
			all := start(t.Context(), c, 1, 2, 3, 4)
			g.letAll()
			all.done.Wait()
			require.Equal(t, poison, why, "for the log")
			require.Equal(t, map[int]error{1: nil, 2: nil, 3: poison, 4: nil}, all.errs)
			require.Equal(t, map[int]int{1: 1, 2: 4, 3: 0, 4: 16}, all.values)
			require.Equal(t, [][]int{{1}, {2, 3, 4}, {2}, {3}, {4}}, g.seen())
			require.Equal(t, batch.Stats{Batches: 2, Items: 4, Fallbacks: 1}, c.Stats())
		})
	})
	t.Run("not when nobody knows what the database did", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			g.result = func(items []int) ([]batch.Result[int], error) {
				if len(items) > 1 {
					return nil, fmt.Errorf("market: %w", database.ErrCommitUnknown.WithCause(poison))
				}
				return squares(items), nil
			}
			c := batch.New(batch.Config{Lanes: 1}, oneKey, g.run)
			all := start(t.Context(), c, 1, 2, 3)
			g.letAll()
			all.done.Wait()
			require.NoError(t, all.errs[1])
			require.ErrorIs(t, all.errs[2], database.ErrCommitUnknown)
			require.ErrorIs(t, all.errs[3], database.ErrCommitUnknown)
			require.Equal(t, [][]int{{1}, {2, 3}}, g.seen())
			require.Zero(t, c.Stats().Fallbacks)
		})
	})
	t.Run("nor when the run answered another number of items", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			g.result = func(items []int) ([]batch.Result[int], error) { return squares(items[:1]), nil }
			c := batch.New(batch.Config{Lanes: 1}, oneKey, g.run)
			all := start(t.Context(), c, 1, 2, 3)
			g.letAll()
			all.done.Wait()
			require.NoError(t, all.errs[1])
			require.ErrorContains(t, all.errs[2], "did not answer every item")
			require.ErrorContains(t, all.errs[3], "did not answer every item")
			require.Len(t, g.seen(), 2)
		})
	})
	t.Run("a panic reaches the caller that caused it, and nobody else", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			g.result = func(items []int) ([]batch.Result[int], error) {
				if slices.Contains(items, 2) {
					panic("boom")
				}
				return squares(items), nil
			}
			c := batch.New(batch.Config{Lanes: 1}, oneKey, g.run)
			all := start(t.Context(), c, 1, 2, 3)
			g.letAll()
			all.done.Wait()
			require.ErrorContains(t, all.errs[2], "boom")
			require.ErrorContains(t, all.errs[2], "batch_test.go", "with the place")
			require.Nil(t, fault.As(all.errs[2]), "a defect is answered as one")
			require.NoError(t, all.errs[1])
			require.NoError(t, all.errs[3])
		})
	})
	t.Run("ends in bounded time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			first := make(chan struct{})
			stuck := func(ctx context.Context, items []int) ([]batch.Result[int], error) {
				if items[0] == 1 {
					<-first
					return squares(items), nil
				}
				<-ctx.Done()
				return nil, ctx.Err()
			}
			c := batch.New(batch.Config{Lanes: 1, RunTimeout: time.Minute}, oneKey, stuck)
			all := start(t.Context(), c, 1, 2, 3, 4)
			close(first)
			all.done.Wait()
			require.Equal(t, 2*time.Minute, time.Since(began))
			require.ErrorIs(t, all.errs[2], context.DeadlineExceeded)
			require.ErrorIs(t, all.errs[3], database.ErrBusy)
			require.ErrorIs(t, all.errs[4], database.ErrBusy)
		})
	})
}

func TestCancelledCallers(t *testing.T) {
	t.Run("before the batch begins the item is dropped", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			c := batch.New(batch.Config{Lanes: 1, QueueLength: 2}, oneKey, g.run)
			first := start(t.Context(), c, 1)
			ctx, cancel := context.WithCancel(t.Context())
			gone := start(ctx, c, 2)
			stays := start(t.Context(), c, 3)
			cancel()
			gone.done.Wait()
			require.ErrorIs(t, gone.errs[2], context.Canceled)
			more := start(t.Context(), c, 4) // its place in the queue is free again
			g.letAll()
			first.requireSquares(t)
			stays.requireSquares(t)
			more.requireSquares(t)
			require.Equal(t, [][]int{{1}, {3, 4}}, g.seen())
			require.Equal(t, batch.Stats{Batches: 2, Items: 3, Dropped: 1}, c.Stats())
		})
	})
	t.Run("while it runs the caller goes and the item stands", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			var during error
			c := batch.New(batch.Config{Lanes: 1}, oneKey, func(ctx context.Context, items []int) ([]batch.Result[int], error) {
				out, err := g.run(ctx, items)
				during = ctx.Err()
				return out, err
			})
			ctx, cancel := context.WithCancel(t.Context())
			gone := start(ctx, c, 1)
			cancel()
			gone.done.Wait()
			require.ErrorIs(t, gone.errs[1], context.Canceled)
			g.letAll()
			require.NoError(t, c.Close(t.Context()))
			require.NoError(t, during, "no caller ends the run for the others")
			require.Equal(t, [][]int{{1}}, g.seen())
			require.EqualValues(t, 1, c.Stats().Items)
		})
	})
	t.Run("between a failed batch and the item's own turn it is dropped", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			ctx, cancel := context.WithCancel(t.Context())
			g.result = func(items []int) ([]batch.Result[int], error) {
				if len(items) > 1 {
					cancel()
					return nil, errors.New("poison")
				}
				return squares(items), nil
			}
			c := batch.New(batch.Config{Lanes: 1}, oneKey, g.run)
			first := start(t.Context(), c, 1, 2)
			gone := start(ctx, c, 3)
			g.letAll()
			first.requireSquares(t)
			gone.done.Wait()
			require.NoError(t, c.Close(t.Context()))
			require.ErrorIs(t, gone.errs[3], context.Canceled)
			require.Equal(t, [][]int{{1}, {2, 3}, {2}}, g.seen())
		})
	})
	t.Run("one that is gone already is not queued", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		c := batch.New(batch.Config{}, oneKey, func(context.Context, []int) ([]batch.Result[int], error) {
			t.Error("it ran")
			return nil, nil
		})
		_, err := c.Do(ctx, 1)
		require.ErrorIs(t, err, context.Canceled)
	})
}

// over is a context that is over.
func over(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestClose(t *testing.T) {
	t.Run("drains what it has and takes nothing more", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate()
			c := batch.New(batch.Config{Lanes: 1}, oneKey, g.run)
			all := start(t.Context(), c, 1, 2, 3)
			closed := make(chan error)
			go func() { closed <- c.Close(t.Context()) }()
			synctest.Wait()
			_, err := c.Do(t.Context(), 4)
			require.ErrorIs(t, err, batch.ErrClosed)
			require.Equal(t, fault.Unavailable, fault.KindOf(err))
			g.letAll()
			require.NoError(t, <-closed)
			all.requireSquares(t)
			require.NoError(t, c.Close(over(t)), "a second time, with no time left")
		})
	})
	t.Run("does not wait for company", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g, began := newGate(), time.Now()
			c := batch.New(batch.Config{Lanes: 1, MaxWait: time.Hour}, oneKey, g.run)
			all := start(t.Context(), c, 1, 2)
			g.letAll()
			synctest.Wait()
			require.Len(t, g.seen(), 1, "the second waits for the first to be back")
			require.NoError(t, c.Close(t.Context()))
			all.requireSquares(t)
			require.Zero(t, time.Since(began))
		})
	})
	t.Run("ends what takes too long", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := batch.New(batch.Config{Lanes: 1}, oneKey, func(ctx context.Context, _ []int) ([]batch.Result[int], error) {
				<-ctx.Done()
				return nil, ctx.Err()
			})
			all := start(t.Context(), c, 1, 2)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.ErrorIs(t, c.Close(ctx), context.DeadlineExceeded)
			all.done.Wait()
			require.ErrorIs(t, all.errs[1], context.Canceled)
			require.ErrorIs(t, all.errs[2], batch.ErrClosed)
			require.NoError(t, c.Close(t.Context()))
			require.Zero(t, c.Stats().Waiting)
		})
	})
}

// Whatever the limits, the keys, the poison and who goes away: every item that
// was answered ran to the end exactly once, and each caller got its own answer.
func TestExactlyOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		cfg := batch.Config{
			MaxItems: rapid.IntRange(1, 8).Draw(r, "max items"), Lanes: rapid.IntRange(1, 4).Draw(r, "lanes"),
			QueueLength: rapid.IntRange(1, 40).Draw(r, "queue length"),
			MaxWait:     time.Duration(rapid.IntRange(0, 2).Draw(r, "max wait")) * time.Millisecond,
		}
		n := rapid.IntRange(1, 40).Draw(r, "items")
		keys := rapid.IntRange(1, 5).Draw(r, "keys")
		pick := func(label string) map[int]bool {
			out := map[int]bool{}
			for _, i := range rapid.SliceOfN(rapid.IntRange(0, n-1), 0, 4).Draw(r, label) {
				out[i] = true
			}
			return out
		}
		poisoned, panics, refused, leaving := pick("poisoned"), pick("panics"), pick("refused"), pick("leaving")
		pause := rapid.SliceOfN(rapid.IntRange(0, 3), n, n).Draw(r, "pauses")
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			ran := map[int]int{} // how often an item took effect
			run := func(_ context.Context, items []int) ([]batch.Result[string], error) {
				time.Sleep(time.Millisecond) // of the bubble's own time
				out := make([]batch.Result[string], len(items))
				for i, item := range items {
					switch {
					case poisoned[item]:
						return nil, errors.New("poison")
					case panics[item]:
						panic("boom")
					case refused[item]:
						out[i].Err = errors.New("refused")
					default:
						out[i].Value = fmt.Sprint("answer ", item)
					}
				}
				mu.Lock()
				defer mu.Unlock()
				for i, item := range items {
					if out[i].Err == nil {
						ran[item]++
					}
				}
				return out, nil
			}
			c := batch.New(cfg, func(i int) string { return fmt.Sprint(i % keys) }, run)
			values, errs := make([]string, n), make([]error, n)
			var done sync.WaitGroup
			for i := range n {
				done.Go(func() {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					time.Sleep(time.Duration(pause[i]) * 500 * time.Microsecond)
					if leaving[i] {
						time.AfterFunc(time.Duration(pause[(i+1)%n])*time.Millisecond, cancel)
					}
					values[i], errs[i] = c.Do(ctx, i)
				})
			}
			done.Wait()
			require.NoError(t, c.Close(t.Context()))
			full := int64(0)
			for i := range n {
				switch err := errs[i]; {
				case err == nil:
					require.Equal(t, fmt.Sprint("answer ", i), values[i])
					require.Equal(t, 1, ran[i])
				case errors.Is(err, context.Canceled):
					require.True(t, leaving[i])
					require.LessOrEqual(t, ran[i], 1)
				case errors.Is(err, batch.ErrFull):
					full++
					require.Zero(t, ran[i])
				default:
					text, _, _ := strings.Cut(err.Error(), "\n")
					require.True(t, map[string]bool{
						"poison": poisoned[i], "batch: panic: boom": panics[i] && !poisoned[i],
						"refused": refused[i] && !poisoned[i] && !panics[i],
					}[text], "item %d: %v", i, err)
					require.Zero(t, ran[i])
				}
			}
			s := c.Stats()
			require.Equal(t, full, s.Full)
			require.Zero(t, s.Waiting)
			require.LessOrEqual(t, s.Items+s.Dropped+s.Full, int64(n))
		})
	})
}
