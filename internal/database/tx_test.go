package database_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/internal/fault"
)

// scratch creates the two tables that these tests write, with one constraint
// of each sort, and drops them before the database goes back to its pool.
func scratch(t *testing.T, db *database.DB) {
	t.Helper()
	suffix, unsigned := "", "BIGINT"
	if db.Driver() == database.MySQL {
		suffix, unsigned = " ENGINE = InnoDB", "BIGINT UNSIGNED"
	}
	exec(t, db, `CREATE TABLE scratch (
		id BIGINT NOT NULL PRIMARY KEY,
		code VARCHAR(32) NULL,
		n BIGINT NOT NULL DEFAULT 0,
		stock `+unsigned+` NOT NULL DEFAULT 0,
		CONSTRAINT scratch_n_check CHECK (n >= 0)`+
		`)`+suffix)
	exec(t, db, `CREATE UNIQUE INDEX scratch_code_key ON scratch (code)`)
	exec(t, db, `CREATE TABLE scratch_child (
		id BIGINT NOT NULL PRIMARY KEY,
		scratch_id BIGINT NOT NULL,
		CONSTRAINT scratch_child_scratch_id_fk FOREIGN KEY (scratch_id) REFERENCES scratch (id)`+
		`)`+suffix)
	t.Cleanup(func() {
		for _, table := range []string{"scratch_child", "scratch"} {
			_, err := db.WriteSQL().ExecContext(context.Background(), "DROP TABLE "+table)
			require.NoError(t, err)
		}
	})
	exec(t, db, `INSERT INTO scratch (id, code) VALUES (1, 'one'), (2, 'two')`)
}

func exec(t *testing.T, db *database.DB, query string) {
	t.Helper()
	_, err := db.WriteSQL().ExecContext(t.Context(), query)
	require.NoError(t, err)
}

// eachScratch runs the test on each engine, with the scratch tables in place.
func eachScratch(t *testing.T, test func(t *testing.T, db *database.DB), change ...func(*database.Config)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		scratch(t, db)
		test(t, db)
	}, change...)
}

// n reads a row's number as another connection sees it.
func n(t *testing.T, db *database.DB, id int) (n int64) {
	t.Helper()
	require.NoError(t, db.Read(t.Context()).Raw("SELECT n FROM scratch WHERE id = ?", id).Scan(&n).Error)
	return n
}

func add(tx *gorm.DB, id, n int) error {
	return database.RequireRows(tx.Exec("UPDATE scratch SET n = n + ? WHERE id = ?", n, id), 1)
}

func requireBusy(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, database.ErrBusy)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.Positive(t, fault.As(err).RetryAfter)
}

func TestInTx(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *database.DB) {
		errOwn := errors.New("the closure's own")

		t.Run("commits", func(t *testing.T) {
			require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error { return add(tx, 1, 1) }))
			require.EqualValues(t, 1, n(t, db, 1))
		})
		t.Run("rolls back on an error and returns it untouched", func(t *testing.T) {
			runs := 0
			err := database.InTx(t.Context(), db, func(tx *gorm.DB) error {
				runs++
				return errors.Join(add(tx, 1, 1), errOwn)
			})
			require.ErrorIs(t, err, errOwn)
			require.Nil(t, fault.As(err))
			require.Equal(t, 1, runs)
			require.EqualValues(t, 1, n(t, db, 1))
		})
		t.Run("rolls back on a panic, which goes on", func(t *testing.T) {
			require.PanicsWithValue(t, "boom", func() {
				_ = database.InTx(t.Context(), db, func(tx *gorm.DB) error {
					if err := add(tx, 1, 1); err != nil {
						return err
					}
					panic("boom")
				})
			})
			require.EqualValues(t, 1, n(t, db, 1))
			require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error { return add(tx, 2, 1) }),
				"the connection must be free again")
		})
		t.Run("does not begin when the caller has gone", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			err := database.InTx(ctx, db, func(*gorm.DB) error { t.Error("the closure ran"); return nil })
			require.ErrorIs(t, err, context.Canceled)
			require.NotErrorIs(t, err, database.ErrCommitUnknown)
		})
		t.Run("writes nothing when the caller goes before COMMIT", func(t *testing.T) {
			before := n(t, db, 2)
			ctx, cancel := context.WithCancel(t.Context())
			err := database.InTx(ctx, db, func(tx *gorm.DB) error {
				defer cancel()
				return add(tx, 2, 1)
			})
			require.ErrorIs(t, err, context.Canceled)
			require.NotErrorIs(t, err, database.ErrCommitUnknown, "COMMIT was never sent")
			require.Equal(t, before, n(t, db, 2))
		})
	})
}

func TestInTxOnMySQLIsReadCommitted(t *testing.T) {
	db := databasetest.Open(t, database.MySQL)
	scratch(t, db)
	require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
		read := func() (n int64) {
			require.NoError(t, tx.Raw("SELECT n FROM scratch WHERE id = 1").Scan(&n).Error)
			return n
		}
		require.Zero(t, read())
		other, err := db.WriteSQL().BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = other.ExecContext(t.Context(), "UPDATE scratch SET n = 7 WHERE id = 1")
		require.NoError(t, err)
		require.Zero(t, read(), "no dirty read")
		require.NoError(t, other.Commit())
		require.EqualValues(t, 7, read(), "a snapshot of the whole transaction would still say 0")
		return nil
	}))
}

func TestInTxOnMySQL(t *testing.T) {
	t.Run("both sides of a deadlock succeed", func(t *testing.T) {
		db := databasetest.Open(t, database.MySQL)
		scratch(t, db)
		var met sync.WaitGroup // both hold their first row
		met.Add(2)
		var deadlocks atomic.Int64
		work := func(first, second int) error {
			run := 0
			return database.InTx(t.Context(), db, func(tx *gorm.DB) error {
				run++
				if err := add(tx, first, 1); err != nil {
					return err
				}
				if run == 1 {
					met.Done()
					met.Wait()
				}
				err := add(tx, second, 1)
				if isMySQL(err, 1213) {
					deadlocks.Add(1)
				}
				return err
			})
		}
		other := make(chan error, 1)
		go func() { other <- work(2, 1) }()
		require.NoError(t, work(1, 2))
		require.NoError(t, <-other)
		require.Positive(t, deadlocks.Load(), "the test must provoke what it tests")
		require.EqualValues(t, 2, n(t, db, 1))
		require.EqualValues(t, 2, n(t, db, 2))
	})

	t.Run("a deadlock that the closure swallowed is not committed half", func(t *testing.T) {
		db := databasetest.Open(t, database.MySQL)
		scratch(t, db)
		exec(t, db, "INSERT INTO scratch (id) VALUES (3), (4), (5), (6)")
		rivalHolds, weHold, rivalDone := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		go func() {
			rivalDone <- database.InTx(t.Context(), db, func(tx *gorm.DB) error {
				// The heavier transaction survives a deadlock.
				if err := tx.Exec("UPDATE scratch SET stock = stock + 1 WHERE id >= 2").Error; err != nil {
					return err
				}
				close(rivalHolds)
				<-weHold
				return add(tx, 1, 0)
			})
		}()
		<-rivalHolds
		runs, swallowed := 0, false
		err := database.InTx(t.Context(), db, func(tx *gorm.DB) error {
			runs++
			if err := add(tx, 1, 1); err != nil {
				return err
			}
			if runs == 1 {
				close(weHold)
			}
			if err := add(tx, 2, 1); err != nil {
				swallowed = swallowed || isMySQL(err, 1213)
			}
			// The server has ended the transaction: this would commit alone.
			return tx.Exec("UPDATE scratch SET stock = 9 WHERE id = 1").Error
		})
		require.NoError(t, err)
		require.NoError(t, <-rivalDone)
		require.True(t, swallowed, "the test must provoke what it tests")
		require.Equal(t, 2, runs)
		require.EqualValues(t, 1, n(t, db, 1))
		require.EqualValues(t, 1, n(t, db, 2))
	})

	t.Run("gives up a row that stays locked", func(t *testing.T) {
		db := databasetest.Open(t, database.MySQL, func(c *database.Config) {
			c.LockWait, c.MaxAttempts = time.Second, 2
		})
		scratch(t, db)
		holder, err := db.WriteSQL().BeginTx(t.Context(), nil)
		require.NoError(t, err)
		_, err = holder.ExecContext(t.Context(), "UPDATE scratch SET stock = 1 WHERE id = 2")
		require.NoError(t, err)

		runs := 0
		err = database.InTx(t.Context(), db, func(tx *gorm.DB) error {
			runs++
			if err := add(tx, 1, 1); err != nil {
				return err
			}
			return add(tx, 2, 1)
		})
		require.NoError(t, holder.Rollback())
		requireBusy(t, err)
		require.True(t, isMySQL(err, 1205), "the cause is kept for the log: %v", err)
		require.Equal(t, 2, runs)
		require.Zero(t, n(t, db, 1))
		require.Zero(t, n(t, db, 2))
	})
}

func isMySQL(err error, number uint16) bool {
	return errors.Is(err, &mysql.MySQLError{Number: number})
}

func TestInTxOnBusySQLite(t *testing.T) {
	open := func(t *testing.T) (db *database.DB, release func()) {
		t.Helper()
		cfg := databasetest.Config(t, database.SQLite)
		cfg.LockWait, cfg.MaxAttempts = 50*time.Millisecond, 4
		db, err := database.Open(t.Context(), cfg)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		scratch(t, db)
		rival, err := database.Open(t.Context(), cfg) // as a second process would
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, rival.Close()) })
		tx, err := rival.WriteSQL().BeginTx(t.Context(), nil)
		require.NoError(t, err)
		return db, sync.OnceFunc(func() { require.NoError(t, tx.Rollback()) })
	}

	t.Run("goes on once the other lets go", func(t *testing.T) {
		db, release := open(t)
		time.AfterFunc(80*time.Millisecond, release) // in the second attempt
		require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error { return add(tx, 1, 1) }))
		require.EqualValues(t, 1, n(t, db, 1))
	})
	t.Run("gives up when the other does not", func(t *testing.T) {
		db, release := open(t)
		err := database.InTx(t.Context(), db, func(*gorm.DB) error { t.Error("the closure ran"); return nil })
		release()
		requireBusy(t, err)
		require.Zero(t, n(t, db, 1))
	})
	t.Run("stops waiting when the caller goes", func(t *testing.T) {
		db, release := open(t)
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
		defer cancel()
		err := database.InTx(ctx, db, func(*gorm.DB) error { t.Error("the closure ran"); return nil })
		release()
		require.Error(t, err)
		require.NotErrorIs(t, err, database.ErrCommitUnknown)
	})
}

func TestInTxTimeout(t *testing.T) {
	short := func(c *database.Config) { c.TxTimeout, c.MaxConnections = 300*time.Millisecond, 1 }
	t.Run("no free connection in time means busy", func(t *testing.T) {
		databasetest.Each(t, func(t *testing.T, db *database.DB) {
			conn, err := db.WriteSQL().Conn(t.Context())
			require.NoError(t, err)
			err = database.InTx(t.Context(), db, func(*gorm.DB) error { t.Error("the closure ran"); return nil })
			require.NoError(t, conn.Close())
			requireBusy(t, err)
		}, short)
	})
	t.Run("a closure that takes too long writes nothing", func(t *testing.T) {
		eachScratch(t, func(t *testing.T, db *database.DB) {
			for name, late := range map[string]func(tx *gorm.DB) error{
				"before COMMIT":         func(*gorm.DB) error { return nil },
				"before a statement":    func(tx *gorm.DB) error { return add(tx, 2, 1) },
				"in its own words, too": func(*gorm.DB) error { return sql.ErrNoRows },
			} {
				err := database.InTx(t.Context(), db, func(tx *gorm.DB) error {
					if err := add(tx, 1, 1); err != nil {
						return err
					}
					<-tx.Statement.Context.Done()
					return late(tx)
				})
				if name == "in its own words, too" {
					require.ErrorIs(t, err, sql.ErrNoRows, name)
				} else {
					requireBusy(t, err)
				}
				require.Zero(t, n(t, db, 1), name)
			}
		}, short)
	})
}

func TestConstraints(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *database.DB) {
		mysqlOnly := db.Driver() == database.MySQL
		for name, c := range map[string]struct {
			statement                    string
			duplicate, foreignKey, check bool
			mysqlOnly                    bool
		}{
			"a primary key":              {"INSERT INTO scratch (id) VALUES (1)", true, false, false, false},
			"a unique key":               {"INSERT INTO scratch (id, code) VALUES (3, 'one')", true, false, false, false},
			"a parent that is missing":   {"INSERT INTO scratch_child (id, scratch_id) VALUES (1, 99)", false, true, false, false},
			"a parent that is needed":    {"DELETE FROM scratch WHERE id = 1", false, true, false, false},
			"a CHECK on insert":          {"INSERT INTO scratch (id, n) VALUES (4, -1)", false, false, true, false},
			"a CHECK on update":          {"UPDATE scratch SET n = -1 WHERE id = 1", false, false, true, false},
			"an unsigned range, reached": {"UPDATE scratch SET stock = stock - 1 WHERE id = 1", false, false, true, true},
			"an unsigned range, written": {"INSERT INTO scratch (id, stock) VALUES (5, -1)", false, false, true, true},
			"a column that is missing":   {"UPDATE scratch SET nothing = 1", false, false, false, false},
		} {
			t.Run(name, func(t *testing.T) {
				if c.mysqlOnly && !mysqlOnly {
					return // SQLite has no unsigned types; the CHECK beside it refuses
				}
				_, raw := db.WriteSQL().ExecContext(t.Context(), "INSERT INTO scratch_child (id, scratch_id) VALUES (7, 1)")
				require.NoError(t, raw)
				defer exec(t, db, "DELETE FROM scratch_child")

				_, raw = db.WriteSQL().ExecContext(t.Context(), c.statement)
				throughGorm := database.InTx(t.Context(), db, func(tx *gorm.DB) error { return tx.Exec(c.statement).Error })
				for _, err := range []error{raw, throughGorm, fault.New(fault.Conflict, "x", "x").WithCause(raw)} {
					require.Error(t, err)
					require.Equal(t, c.duplicate, database.IsDuplicate(err), "duplicate: %v", err)
					require.Equal(t, c.foreignKey, database.IsForeignKey(err), "foreign key: %v", err)
					require.Equal(t, c.check, database.IsCheck(err), "check: %v", err)
				}
			})
		}
	})
	require.False(t, database.IsDuplicate(nil) || database.IsForeignKey(nil) || database.IsCheck(nil))
}

func TestForUpdate(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *database.DB) {
		require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
			var id int
			return tx.Raw("SELECT id FROM scratch WHERE id = 1" + database.ForUpdate(tx)).Scan(&id).Error
		}))
	})
}

func TestRequireRows(t *testing.T) {
	eachScratch(t, func(t *testing.T, db *database.DB) {
		require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
			same := tx.Exec("UPDATE scratch SET n = n WHERE id = 1")
			require.NoError(t, database.RequireRows(same, 1), "a matched row counts on both engines")
			none := tx.Exec("UPDATE scratch SET n = 1 WHERE id = 1 AND n = 99")
			require.ErrorIs(t, database.RequireRows(none, 1), database.ErrRowsChanged)
			return nil
		}))
		require.NoError(t, database.InTx(t.Context(), db, func(tx *gorm.DB) error {
			failed := tx.Exec("UPDATE scratch SET n = -1 WHERE id = 1")
			require.True(t, database.IsCheck(database.RequireRows(failed, 1)))
			return nil
		}))
	})
}
