// Package migrations embeds the goose migrations of both databases. The two
// folders hold the same file names. Since MySQL commits each DDL statement by
// itself, a file holds one statement, so that a migration which fails half
// way can be run again.
package migrations

import "embed"

// Files holds mysql/*.sql and sqlite/*.sql.
//
//go:embed mysql/*.sql sqlite/*.sql
var Files embed.FS
