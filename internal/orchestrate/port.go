package orchestrate

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"strconv"
)

// Ports for workloads lie below the range from which Linux takes the ports of
// outgoing connections, so that none is taken away while a process restarts.
const (
	firstPort = 20000
	lastPort  = 32767
)

var errPortTaken = errors.New("the port is taken by another program")

// portFree tells whether a process could listen on a port now.
func portFree(ctx context.Context, port int) bool {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	l.Close()
	return true
}

// choosePort finds a port for a workload. Where the search begins depends on
// the owner too, so that two daytwos on one machine do not race for one.
func choosePort(ctx context.Context, owner, name string, given map[int]bool) (int, error) {
	h := fnv.New32a()
	fmt.Fprint(h, owner, name)
	const span = lastPort - firstPort + 1
	for i := range span {
		port := firstPort + (int(h.Sum32()%span)+i)%span
		if !given[port] && portFree(ctx, port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no port from %d to %d is free for workload %s", firstPort, lastPort, name)
}
