//go:build !modernc && !ncruces

package main

const driver = ""

func dsn(path, sync string) string { return "" }
