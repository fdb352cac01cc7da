package push

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protodelim"

	dto "github.com/prometheus/client_model/go"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// suffix of the files of groups: one line of JSON, then the families as length-delimited protobuf in the header's order.
const suffix = ".group"

type header struct {
	Labels   map[string]string `json:"labels"`
	Pushed   time.Time         `json:"pushed,omitzero"`
	Failed   time.Time         `json:"failed,omitzero"`
	Families []time.Time       `json:"families"` // when each was pushed
}

func (g *Gateway) file(id string) string {
	sum := sha256.Sum256([]byte(id))
	return filepath.Join(g.cfg.Dir, hex.EncodeToString(sum[:16])+suffix)
}

// write puts a group on disk so that after a crash the file holds either it or the one before.
func (g *Gateway) write(id string, one *group) (err error) {
	defer func() {
		if err != nil {
			err = problem.New(problem.Unavailable, "keep pushed metrics: %w", err).WithMend("check the rights and the free space of the data directory")
		}
	}()
	content, err := encode(one)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(g.cfg.Dir, 0o750); err != nil {
		return err
	}
	name := g.file(id)
	f, err := os.Create(name + ".new")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(name+".new", name); err != nil {
		return err
	}
	dir, err := os.Open(g.cfg.Dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func (g *Gateway) restore() error {
	entries, err := os.ReadDir(g.cfg.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return problem.New(problem.Unavailable, "read pushed metrics: %w", err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), suffix) {
			continue
		}
		name := filepath.Join(g.cfg.Dir, entry.Name())
		content, err := os.ReadFile(name)
		if err != nil {
			return problem.New(problem.Unavailable, "read pushed metrics: %w", err)
		}
		one, err := decode(content)
		if err != nil {
			g.cfg.Logger.Error("a group of pushed metrics is lost", "file", name, "error", err)
			continue
		}
		g.groups[key(one.labels)] = one
	}
	return nil
}

func encode(one *group) ([]byte, error) {
	h := header{Labels: one.labels, Pushed: one.pushed, Failed: one.failed}
	var families bytes.Buffer
	for _, f := range one.families {
		h.Families = append(h.Families, f.at)
		if _, err := protodelim.MarshalTo(&families, f.MetricFamily); err != nil {
			return nil, err
		}
	}
	line, err := json.Marshal(h)
	return slices.Concat(line, []byte("\n"), families.Bytes()), err
}

func decode(content []byte) (*group, error) {
	line, rest, found := bytes.Cut(content, []byte("\n"))
	if !found {
		return nil, io.ErrUnexpectedEOF
	}
	var h header
	if err := json.Unmarshal(line, &h); err != nil {
		return nil, err
	}
	if h.Labels["job"] == "" {
		return nil, errors.New("no job")
	}
	one := &group{labels: h.Labels, pushed: h.Pushed, failed: h.Failed, families: map[string]family{}}
	r := bufio.NewReader(bytes.NewReader(rest))
	for i, at := range h.Families {
		f := &dto.MetricFamily{}
		if err := (protodelim.UnmarshalOptions{MaxSize: maxBody * 4}).UnmarshalFrom(r, f); err != nil {
			return nil, fmt.Errorf("family %d of %d: %w", i+1, len(h.Families), err)
		}
		one.families[f.GetName()] = family{f, at}
	}
	return one, nil
}
