//go:build modernc

package main

import _ "modernc.org/sqlite"

const driver = "sqlite"

func dsn(path, sync string) string {
	return "file:" + path + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(" + sync + ")&_txlock=immediate"
}
