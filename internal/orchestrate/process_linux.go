package orchestrate

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"
)

// processAttributes make a process lead a group of its own and end with us.
func processAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// killMarked ends every process of this host whose environment holds all the
// marks: what a workload started, wherever it has hidden (a daemon leaves its
// group, and outlives a daytwo that was killed). It returns how many there
// were, after they are gone.
func killMarked(marks ...string) (killed int) {
	const rounds = 200
	for range rounds {
		found := marked(marks)
		if len(found) == 0 {
			return killed
		}
		for _, pid := range found {
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				killed++
			}
		}
		time.Sleep(5 * time.Millisecond) // for the kernel to take them away
	}
	return killed
}

func marked(marks []string) (pids []int) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	self := os.Getpid()
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == self {
			continue
		}
		env, err := os.ReadFile("/proc/" + name + "/environ") // empty for zombies
		if err != nil || len(env) == 0 {
			continue
		}
		if holdsAll(append([]byte{0}, env...), marks) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func holdsAll(env []byte, marks []string) bool {
	for _, m := range marks {
		if !bytes.Contains(env, []byte("\x00"+m+"\x00")) {
			return false
		}
	}
	return true
}
