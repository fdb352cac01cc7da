package audit

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// readyPaths are where programs usually tell whether they want traffic.
var readyPaths = []string{"/readyz", "/-/ready", "/health/ready", "/ready", "/healthz", "/health", "/"}

// readiness is how a process became ready.
type readiness struct {
	port    int // that it answers on: its own, or the fixed one
	path    string
	after   time.Duration
	listens []int
}

var errFlood = fmt.Errorf("it wrote more than %d MiB", floodSize>>20)

// ready waits until the process answers on its port. With anywhere, one that
// listens elsewhere is ready there: its port is fixed.
func (p *process) ready(ctx context.Context, limit time.Duration, anywhere bool) (readiness, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var elsewhere time.Time // when it was first seen to listen, but not where it should
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		if path, ok := p.box.answers(ctx, p.port); ok {
			tick.Stop()
			if p.gone() { // somebody else answers
				<-p.done
				return readiness{}, p.endedBefore()
			}
			return readiness{p.port, path, time.Since(began), p.listens()}, nil
		}
		if since := time.Since(began); since > 200*time.Millisecond {
			tick.Reset(100 * time.Millisecond)
			others := p.listens()
			if len(others) == 0 || slices.Contains(others, p.port) {
				elsewhere = time.Time{}
			} else if elsewhere.IsZero() {
				elsewhere = time.Now()
			} else if time.Since(elsewhere) > 2*time.Second { // it might have opened another port first
				if !anywhere {
					return readiness{}, fmt.Errorf("it listens on %s instead", numbers(others))
				}
				for _, port := range others {
					if path, ok := p.box.answers(ctx, port); ok {
						return readiness{port, path, elsewhere.Sub(began), others}, nil
					}
				}
			}
		}
		select {
		case <-tick.C:
		case <-p.done:
			return readiness{}, p.endedBefore()
		case <-p.output.flood:
			return readiness{}, fmt.Errorf("%w within %.1f s", errFlood, time.Since(began).Seconds())
		case <-ctx.Done():
			return readiness{}, p.notReady(limit)
		}
	}
}

// gone tells whether the process itself has ended, as the kernel knows it.
func (p *process) gone() bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func (p *process) endedBefore() error {
	return fmt.Errorf("it ended with status %d: %s", p.status, p.output.lastLine())
}

func (p *process) notReady(limit time.Duration) error {
	if ports := p.listens(); len(ports) > 0 {
		return fmt.Errorf("it listens on %s and did not say within %.0f s that it is ready; last line: %s", numbers(ports), limit.Seconds(), p.output.lastLine())
	}
	return fmt.Errorf("it listened on no port within %.0f s; last line: %s", limit.Seconds(), p.output.lastLine())
}

// client asks without proxies, redirects or connections kept.
var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{Timeout: time.Second}).DialContext, ResponseHeaderTimeout: 5 * time.Second},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// get is the status of an answer and the beginning of its body.
func get(ctx context.Context, port int, path string, limit time.Duration) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address(port)+path, nil)
	if err != nil {
		return 0, nil, err
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, body, err
}

func address(port int) string { return "http://127.0.0.1:" + strconv.Itoa(port) }

// answers tells whether a port's program is ready, and the path that says so.
func (b *sandbox) answers(ctx context.Context, port int) (string, bool) {
	paths := readyPaths
	if b.config.Ready != "" {
		paths = []string{b.config.Ready}
	}
	spoke, waits := false, false
	for _, path := range paths {
		code, _, err := get(ctx, port, path, 2*time.Second)
		switch {
		case err != nil:
			return "", false
		case code < 300:
			return path, true
		case code >= 500:
			waits = true
		}
		spoke = true
	}
	return paths[len(paths)-1], spoke && !waits && b.config.Ready == ""
}

// listens are the TCP ports that the process and its family listen on.
func (p *process) listens() []int {
	sockets := map[string]bool{}
	for _, x := range p.tree() {
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", x.pid))
		for _, fd := range fds {
			if link, err := os.Readlink(fd); err == nil && strings.HasPrefix(link, "socket:[") {
				sockets[strings.Trim(link, "socket:[]")] = true
			}
		}
	}
	var ports []int
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		ports = append(ports, listening(table, sockets)...)
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

func listening(table string, sockets map[string]bool) []int {
	f, err := os.Open(table)
	if err != nil {
		return nil
	}
	defer f.Close()
	var ports []int
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != "0A" || !sockets[fields[9]] { // 0A: listens
			continue
		}
		_, port, _ := strings.Cut(fields[1], ":")
		if b, err := hex.DecodeString(port); err == nil && len(b) == 2 {
			ports = append(ports, int(b[0])<<8|int(b[1]))
		}
	}
	return ports
}
