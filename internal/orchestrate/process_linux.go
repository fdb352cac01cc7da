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

// killMarked ends every process of this host that has the mark (a daemon leaves
// its group, and outlives a daytwo that was killed). It returns how many there
// were, after they are gone.
func killMarked(m mark) (killed int) {
	const rounds = 200
	for range rounds {
		n := m.kill()
		if n == 0 {
			return killed
		}
		killed += n
		time.Sleep(5 * time.Millisecond) // for the kernel to take them away
	}
	return killed
}

// kill sends SIGKILL to all that have the mark now.
func (m mark) kill() (killed int) {
	dir, err := os.Open("/proc")
	if err != nil {
		return 0
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() || !m.on(pid) {
			continue
		}
		// The handle stays with the process it was made for. Should that be one
		// that took the number of the one we saw, it does not have the mark.
		p, err := os.FindProcess(pid)
		if err != nil {
			continue
		}
		if m.on(pid) && p.Kill() == nil {
			killed++
		}
		_ = p.Release()
	}
	return killed
}

// on tells whether a process has the mark. Zombies have none.
func (m mark) on(pid int) bool {
	proc := "/proc/" + strconv.Itoa(pid)
	if env, err := os.ReadFile(proc + "/environ"); err == nil && holdsAll(append([]byte{0}, env...), m.environ()) {
		return true
	}
	badge, err := os.Readlink(proc + "/fd/3")
	return err == nil && m.isBadge(badge)
}

func holdsAll(env []byte, words []string) bool {
	for _, w := range words {
		if !bytes.Contains(env, []byte("\x00"+w+"\x00")) {
			return false
		}
	}
	return true
}
