package database_test

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/database"
	"jiamenkou/internal/database/databasetest"
	"jiamenkou/migrations"
)

// TestSchemaParity proves that both migration folders lead to the same tables.
func TestSchemaParity(t *testing.T) {
	require.Empty(t, checkMigrationFiles(t, migrations.Files), "migration files")

	schemas := map[database.Driver]schema{}
	for _, driver := range []database.Driver{database.SQLite, database.MySQL} {
		schemas[driver] = readSchema(t, databasetest.Open(t, driver))
		require.NotEmpty(t, schemas[driver], driver)
	}
	var problems []string
	for driver, s := range schemas {
		for _, p := range s.unindexedForeignKeys() {
			problems = append(problems, string(driver)+": "+p)
		}
	}
	problems = append(problems, diffSchemas(schemas[database.SQLite], schemas[database.MySQL])...)
	slices.Sort(problems)
	require.Empty(t, problems, "the two schemas differ:\n  %s", strings.Join(problems, "\n  "))
}

type schema map[string]*table

type table struct {
	columns     map[string]string // name: normalised type, nullability, default
	primaryKey  []string
	indexes     map[string]index
	foreignKeys []foreignKey
}

type index struct {
	unique  bool
	columns []string
}

type foreignKey struct {
	name    string // MySQL only; SQLite's have none
	columns []string
	target  string
	to      []string
	actions string // "" for the default, which refuses
}

// lines describes the table, a fact on each line.
func (t *table) lines(name string) (out []string) {
	for column, is := range t.columns {
		out = append(out, fmt.Sprintf("%s: column %s %s", name, column, is))
	}
	out = append(out, fmt.Sprintf("%s: primary key (%s)", name, strings.Join(t.primaryKey, ", ")))
	for key, is := range t.indexes {
		sort := "index"
		if is.unique {
			sort = "unique key"
		}
		out = append(out, fmt.Sprintf("%s: %s %s (%s)", name, sort, key, strings.Join(is.columns, ", ")))
	}
	for _, fk := range t.foreignKeys {
		out = append(out, fmt.Sprintf("%s: foreign key (%s) to %s (%s)%s", name,
			strings.Join(fk.columns, ", "), fk.target, strings.Join(fk.to, ", "), fk.actions))
	}
	return out
}

// unindexedForeignKeys lists the foreign keys with no declared index that
// begins with their columns. MySQL makes one by itself, SQLite does not, and
// then a delete of the parent reads the whole table.
func (s schema) unindexedForeignKeys() (problems []string) {
	for name, t := range s {
		for _, fk := range t.foreignKeys {
			served := hasPrefix(t.primaryKey, fk.columns)
			for _, is := range t.indexes {
				served = served || hasPrefix(is.columns, fk.columns)
			}
			if !served {
				problems = append(problems, fmt.Sprintf("%s: foreign key (%s) has no index of its own: declare the index in both",
					name, strings.Join(fk.columns, ", ")))
			}
		}
	}
	return problems
}

func hasPrefix(columns, prefix []string) bool {
	return len(columns) >= len(prefix) && slices.Equal(columns[:len(prefix)], prefix)
}

// diffSchemas lists what only one of the two has. A table that the other lacks
// is named once, not column by column.
func diffSchemas(sqlite, mysql schema) (out []string) {
	only := func(here, there schema, engine string) {
		for name, t := range here {
			if there[name] == nil {
				out = append(out, name+": the table is only in "+engine)
				continue
			}
			other := there[name].lines(name)
			for _, line := range t.lines(name) {
				if !slices.Contains(other, line) {
					out = append(out, line+"   <- only in "+engine)
				}
			}
		}
	}
	only(sqlite, mysql, "sqlite")
	only(mysql, sqlite, "mysql")
	slices.Sort(out)
	return out
}

func readSchema(t *testing.T, db *database.DB) schema {
	t.Helper()
	if db.Driver() == database.SQLite {
		return readSQLite(t, db.WriteSQL())
	}
	return readMySQL(t, db.WriteSQL())
}

// query runs a query whose columns are all read as text, NULL as "".
func query(t *testing.T, db *sql.DB, text string, args ...any) (out [][]string) {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), text, args...)
	require.NoError(t, err, text)
	defer rows.Close() //nolint:errcheck // rows.Err is asked
	names, err := rows.Columns()
	require.NoError(t, err)
	for rows.Next() {
		values, into := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		require.NoError(t, rows.Scan(into...))
		row := make([]string, len(names))
		for i, v := range values {
			row[i] = v.String
		}
		out = append(out, row)
	}
	require.NoError(t, rows.Err())
	return out
}

func readSQLite(t *testing.T, db *sql.DB) schema {
	t.Helper()
	s := schema{}
	for _, row := range query(t, db, `SELECT name FROM sqlite_master WHERE type = 'table'
		AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE 'goose\_%' ESCAPE '\'`) {
		name := row[0]
		tab := &table{columns: map[string]string{}, indexes: map[string]index{}}
		s[name] = tab
		// xinfo also shows the columns that are computed.
		for _, c := range query(t, db, `SELECT name, type, "notnull", dflt_value FROM pragma_table_xinfo(?)`, name) {
			tab.columns[c[0]] = describe(affinity(c[1]), c[2] == "1", c[3])
		}
		for _, c := range query(t, db, `SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk`, name) {
			tab.primaryKey = append(tab.primaryKey, c[0])
		}
		for _, x := range query(t, db, `SELECT name, "unique", partial FROM pragma_index_list(?) WHERE origin <> 'pk'`, name) {
			is := index{unique: x[1] == "1"}
			for _, c := range query(t, db, `SELECT coalesce(name, '<expression>') || iif("desc", ' desc', '')
				FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno`, x[0]) {
				is.columns = append(is.columns, c[0])
			}
			if x[2] == "1" {
				is.columns = append(is.columns, "WHERE …: MySQL has no partial index")
			}
			tab.indexes[x[0]] = is
		}
		keys := map[string]*foreignKey{}
		for _, f := range query(t, db, `SELECT id, "table", "from", "to", on_delete, on_update FROM pragma_foreign_key_list(?) ORDER BY id, seq`, name) {
			if keys[f[0]] == nil {
				keys[f[0]] = &foreignKey{target: f[1], actions: actions(f[4], f[5])}
			}
			keys[f[0]].columns = append(keys[f[0]].columns, f[2])
			keys[f[0]].to = append(keys[f[0]].to, f[3])
		}
		for _, fk := range keys {
			tab.foreignKeys = append(tab.foreignKeys, *fk)
		}
	}
	return s
}

func readMySQL(t *testing.T, db *sql.DB) schema {
	t.Helper()
	s := schema{}
	for _, row := range query(t, db, `SELECT table_name FROM information_schema.tables
		WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'goose\_%'`) {
		s[row[0]] = &table{columns: map[string]string{}, indexes: map[string]index{}}
	}
	for _, c := range query(t, db, `SELECT table_name, column_name, data_type, is_nullable, column_default
		FROM information_schema.columns WHERE table_schema = DATABASE()`) {
		if tab := s[c[0]]; tab != nil {
			tab.columns[c[1]] = describe(mysqlType(c[2]), c[3] == "NO", c[4])
		}
	}
	keys := map[string]map[string]*foreignKey{} // by table and name
	for _, f := range query(t, db, `SELECT k.table_name, k.constraint_name, k.column_name, k.referenced_table_name,
			k.referenced_column_name, r.delete_rule, r.update_rule
		FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r
			ON r.constraint_schema = k.constraint_schema AND r.table_name = k.table_name AND r.constraint_name = k.constraint_name
		WHERE k.table_schema = DATABASE() ORDER BY k.table_name, k.constraint_name, k.ordinal_position`) {
		if s[f[0]] == nil {
			continue
		}
		if keys[f[0]] == nil {
			keys[f[0]] = map[string]*foreignKey{}
		}
		if keys[f[0]][f[1]] == nil {
			keys[f[0]][f[1]] = &foreignKey{name: f[1], target: f[3], actions: actions(f[5], f[6])}
		}
		fk := keys[f[0]][f[1]]
		fk.columns, fk.to = append(fk.columns, f[2]), append(fk.to, f[4])
	}
	for name, byName := range keys {
		for _, fk := range byName {
			s[name].foreignKeys = append(s[name].foreignKeys, *fk)
		}
	}
	for _, x := range query(t, db, `SELECT table_name, index_name, non_unique,
			concat(column_name, if(sub_part IS NULL, '', concat('(', sub_part, ')')), if(collation = 'D', ' desc', ''))
		FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY table_name, index_name, seq_in_index`) {
		tab := s[x[0]]
		switch {
		case tab == nil || keys[x[0]][x[1]] != nil: // the latter: made by MySQL itself for a foreign key
		case x[1] == "PRIMARY":
			tab.primaryKey = append(tab.primaryKey, x[3])
		default:
			tab.indexes[x[1]] = index{unique: x[2] == "0", columns: append(tab.indexes[x[1]].columns, x[3])}
		}
	}
	return s
}

func describe(kind string, notNull bool, byDefault string) string {
	if notNull {
		kind += " not null"
	}
	if byDefault = strings.Trim(byDefault, "'"); byDefault != "" && !strings.EqualFold(byDefault, "NULL") {
		kind += " default " + byDefault
	}
	return kind
}

// affinity is SQLite's own rule for a declared type.
func affinity(declared string) string {
	up := strings.ToUpper(declared)
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(up, p) })
	}
	switch {
	case has("INT"):
		return "integer"
	case has("CHAR", "CLOB", "TEXT"):
		return "text"
	case has("BLOB") || up == "":
		return "blob"
	case has("REAL", "FLOA", "DOUB"):
		return "real"
	default:
		return "numeric " + up
	}
}

func mysqlType(t string) string {
	switch t {
	case "tinyint", "smallint", "mediumint", "int", "bigint":
		return "integer"
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
		return "text"
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob":
		return "blob"
	case "float", "double":
		return "real"
	default:
		return t // has no counterpart
	}
}

func actions(onDelete, onUpdate string) (out string) {
	for event, does := range map[string]string{" on delete ": onDelete, " on update ": onUpdate} {
		if does != "NO ACTION" && does != "RESTRICT" {
			out += event + strings.ToLower(does)
		}
	}
	return out
}

// checkMigrationFiles lists what is wrong with the two folders.
func checkMigrationFiles(t *testing.T, files fs.FS) (problems []string) {
	t.Helper()
	names := map[string][]string{} // file: engines that have it
	for _, engine := range []string{"mysql", "sqlite"} {
		entries, err := fs.ReadDir(files, engine)
		require.NoError(t, err)
		numbers := map[string]string{}
		for _, e := range entries {
			names[e.Name()] = append(names[e.Name()], engine)
			number, _, _ := strings.Cut(e.Name(), "_")
			if first := numbers[number]; first != "" {
				problems = append(problems, fmt.Sprintf("%s/%s: has the number of %s", engine, e.Name(), first))
			}
			numbers[number] = e.Name()
		}
	}
	for name, engines := range names {
		if len(engines) != 2 {
			problems = append(problems, fmt.Sprintf("%s: only in %s", name, engines[0]))
		}
		if !slices.Contains(engines, "mysql") {
			continue
		}
		text, err := fs.ReadFile(files, path.Join("mysql", name))
		require.NoError(t, err)
		if n := statementsUp(string(text)); n != 1 {
			problems = append(problems, fmt.Sprintf("mysql/%s: %d statements in Up, want exactly one, since MySQL commits each by itself", name, n))
		}
	}
	slices.Sort(problems)
	return problems
}

var (
	quotedOrComment = regexp.MustCompile(`'(?:[^'\\]|''|\\.)*'|"[^"]*"|` + "`[^`]*`" + `|--[^\n]*|(?s:/\*.*?\*/)`)
	statementBlock  = regexp.MustCompile(`(?s)-- \+goose StatementBegin\n(.*?)-- \+goose StatementEnd`)
)

// statementsUp counts the statements of a goose file's Up part.
func statementsUp(text string) (n int) {
	_, up, _ := strings.Cut(text, "-- +goose Up")
	up, _, _ = strings.Cut(up, "-- +goose Down")
	up = statementBlock.ReplaceAllString(up, "block;")
	up = quotedOrComment.ReplaceAllStringFunc(up, func(s string) string {
		if strings.HasPrefix(s, "--") || strings.HasPrefix(s, "/*") {
			return " "
		}
		return "quoted"
	})
	for statement := range strings.SplitSeq(up, ";") {
		if strings.TrimSpace(statement) != "" {
			n++
		}
	}
	return n
}

func TestSchemaParityNotices(t *testing.T) {
	sound := func() schema {
		return schema{
			"town": {
				columns:    map[string]string{"id": "text not null", "n": "integer not null default 0", "parent_id": "text"},
				primaryKey: []string{"id"},
				indexes: map[string]index{
					"town_parent_id_idx": {columns: []string{"parent_id", "n"}},
					"town_n_key":         {unique: true, columns: []string{"n"}},
				},
				foreignKeys: []foreignKey{{columns: []string{"parent_id"}, target: "town", to: []string{"id"}}},
			},
			"village": {columns: map[string]string{"id": "text not null"}, primaryKey: []string{"id"}},
		}
	}
	require.Empty(t, diffSchemas(sound(), sound()))
	require.Empty(t, sound().unindexedForeignKeys())

	for name, c := range map[string]struct {
		change func(s schema)
		want   string // a part of the diff
	}{
		"a missing table":    {func(s schema) { delete(s, "village") }, "village: the table is only in sqlite"},
		"a missing column":   {func(s schema) { delete(s["town"].columns, "n") }, "town: column n integer not null default 0   <- only in sqlite"},
		"another type":       {func(s schema) { s["town"].columns["n"] = "text not null default 0" }, "town: column n text not null default 0   <- only in mysql"},
		"nullability":        {func(s schema) { s["town"].columns["parent_id"] = "text not null" }, "town: column parent_id text not null   <- only in mysql"},
		"the primary key":    {func(s schema) { s["town"].primaryKey = []string{"n"} }, "town: primary key (n)   <- only in mysql"},
		"the columns' order": {func(s schema) { slices.Reverse(s["town"].indexes["town_parent_id_idx"].columns) }, "town: index town_parent_id_idx (n, parent_id)   <- only in mysql"},
		"an index's name": {func(s schema) {
			s["town"].indexes["other"] = s["town"].indexes["town_n_key"]
			delete(s["town"].indexes, "town_n_key")
		}, "town: unique key other (n)   <- only in mysql"},
		"uniqueness":       {func(s schema) { s["town"].indexes["town_n_key"] = index{columns: []string{"n"}} }, "town: index town_n_key (n)   <- only in mysql"},
		"a target":         {func(s schema) { s["town"].foreignKeys[0].target = "village" }, "town: foreign key (parent_id) to village (id)   <- only in mysql"},
		"what a FK does":   {func(s schema) { s["town"].foreignKeys[0].actions = actions("CASCADE", "RESTRICT") }, "on delete cascade   <- only in mysql"},
		"a FK that misses": {func(s schema) { s["town"].foreignKeys = nil }, "town: foreign key (parent_id) to town (id)   <- only in sqlite"},
	} {
		t.Run(name, func(t *testing.T) {
			mysql := sound()
			c.change(mysql)
			require.Contains(t, strings.Join(diffSchemas(sound(), mysql), "\n"), c.want)
		})
	}

	t.Run("a foreign key without an index", func(t *testing.T) {
		s := sound()
		delete(s["town"].indexes, "town_parent_id_idx")
		require.Equal(t, []string{"town: foreign key (parent_id) has no index of its own: declare the index in both"}, s.unindexedForeignKeys())
	})
}

// TestSchemaReaders makes the two readers meet what the migrations hopefully
// never contain, so that they cannot be blind to it.
func TestSchemaReaders(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		unsigned := map[database.Driver]string{database.SQLite: "BIGINT", database.MySQL: "BIGINT UNSIGNED"}[db.Driver()]
		exec(t, db, `CREATE TABLE reader_parent (id CHAR(26) NOT NULL PRIMARY KEY)`)
		exec(t, db, `CREATE TABLE reader_child (a CHAR(26) NOT NULL, b `+unsigned+` NOT NULL DEFAULT 3, c BLOB NULL, d DOUBLE NULL, e TEXT NULL,
			PRIMARY KEY (b, a), CONSTRAINT reader_child_a_fk FOREIGN KEY (a) REFERENCES reader_parent (id) ON DELETE CASCADE)`)
		exec(t, db, `CREATE UNIQUE INDEX reader_child_key ON reader_child (b, d DESC)`)
		t.Cleanup(func() {
			for _, name := range []string{"reader_child", "reader_parent"} {
				_, err := db.WriteSQL().ExecContext(context.Background(), "DROP TABLE "+name)
				require.NoError(t, err)
			}
		})
		s := readSchema(t, db)
		lines := s["reader_child"].lines("x")
		slices.Sort(lines)
		require.Equal(t, []string{
			"x: column a text not null",
			"x: column b integer not null default 3",
			"x: column c blob",
			"x: column d real",
			"x: column e text",
			"x: foreign key (a) to reader_parent (id) on delete cascade",
			"x: primary key (b, a)",
			"x: unique key reader_child_key (b, d desc)",
		}, lines)
		maps.DeleteFunc(s, func(name string, _ *table) bool { return name != "reader_child" })
		require.Len(t, s.unindexedForeignKeys(), 1, "an index that MySQL made by itself does not count")
	})
}

func TestMigrationFilesNotices(t *testing.T) {
	const one = "-- +goose Up\n-- a comment; with a semicolon\nCREATE TABLE a (b TEXT DEFAULT ';');\n-- +goose Down\nDROP TABLE a;\nDROP TABLE b;\n"
	files := func(mysqlText string) fstest.MapFS {
		return fstest.MapFS{"mysql/00001_a.sql": {Data: []byte(mysqlText)}, "sqlite/00001_a.sql": {Data: []byte(one)}}
	}
	require.Empty(t, checkMigrationFiles(t, files(one)))
	require.Empty(t, checkMigrationFiles(t, files("-- +goose Up\n-- +goose StatementBegin\nCREATE TRIGGER x BEGIN a; b; END;\n-- +goose StatementEnd\n")))

	two := "-- +goose Up\nCREATE TABLE a (b TEXT);\nCREATE INDEX a_b_idx ON a (b);\n"
	require.Equal(t, []string{"mysql/00001_a.sql: 2 statements in Up, want exactly one, since MySQL commits each by itself"},
		checkMigrationFiles(t, files(two)))
	require.Len(t, checkMigrationFiles(t, files("-- +goose Up\n")), 1)

	extra := files(one)
	extra["sqlite/00001_b.sql"] = &fstest.MapFile{Data: []byte(one)}
	require.Equal(t, []string{"00001_b.sql: only in sqlite", "sqlite/00001_b.sql: has the number of 00001_a.sql"},
		checkMigrationFiles(t, extra))
}
