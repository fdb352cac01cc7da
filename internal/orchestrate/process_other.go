//go:build !linux

package orchestrate

import "syscall"

// processAttributes make a process lead a group of its own. Only Linux can end
// it when daytwo is killed.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// killMarked needs /proc.
func killMarked(mark) int { return 0 }
