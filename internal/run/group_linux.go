package run

import "syscall"

// ownGroup puts a command into a new process group and has the kernel kill it
// when daytwo dies.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
