//go:build unix && !linux

package run

import "syscall"

// ownGroup puts a command into a new process group.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
