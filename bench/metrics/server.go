package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is a running daytwo or Prometheus.
type server struct {
	name, url string // url has the API below it
	cmd       *exec.Cmd
	started   time.Time
	log       *os.File
}

// launch starts a binary on a data directory and waits until it is ready.
func launch(name, binary, dir, config string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	l.Close()
	operations := filepath.Join(dir, "ops")
	if err := os.MkdirAll(operations, 0o750); err != nil {
		return nil, err
	}
	file := filepath.Join(operations, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	s := &server{name: name, url: "http://" + address}
	data := filepath.Join(dir, "data")
	if name == "daytwo" {
		s.url += "/prometheus"
		s.cmd = exec.Command(binary, "serve", "--listen", address, "--data", data, "--config", operations)
	} else {
		s.cmd = exec.Command(binary, "--config.file="+file, "--storage.tsdb.path="+data, "--web.listen-address="+address,
			"--web.enable-remote-write-receiver", "--enable-feature=exemplar-storage")
	}
	s.cmd.Env = append(os.Environ(), "DAYTWO_ADMIN_TOKEN=bench", "GOGC=", "GOMEMLIMIT=")
	if s.log, err = os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		return nil, err
	}
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.started = time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	for time.Since(s.started) < 5*time.Minute {
		if status, _, err := s.get("/-/ready"); err == nil && status == http.StatusOK {
			return s, nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.end(syscall.SIGKILL)
	return nil, errors.New("not ready")
}

func (s *server) end(signal syscall.Signal) {
	_ = s.cmd.Process.Signal(signal)
	_ = s.cmd.Wait() // its status after a signal says nothing
	s.log.Close()
}

// cpu is the seconds of CPU time that the server has taken.
func (s *server) cpu() float64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}

// rss is the resident memory in MiB.
func (s *server) rss() float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

func (s *server) get(path string) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer bench")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

// query runs a query and returns the number of series and how long it took.
func (s *server) query(path string, form url.Values) (series int, took time.Duration, err error) {
	begin := time.Now()
	status, body, err := s.get(path + "?" + form.Encode())
	took = time.Since(begin)
	if err != nil || status != http.StatusOK {
		return 0, took, fmt.Errorf("%s: %d %.300s %w", form.Get("query"), status, body, err)
	}
	var answer struct {
		Data struct{ Result []json.RawMessage }
	}
	err = json.Unmarshal(body, &answer)
	return len(answer.Data.Result), took, err
}
