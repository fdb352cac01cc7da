//go:build ncruces

package main

import _ "github.com/ncruces/go-sqlite3/driver"

const driver = "sqlite3"

func dsn(path, sync string) string {
	return "file:" + path + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(" + sync + ")&_txlock=immediate"
}
