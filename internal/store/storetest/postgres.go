package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Server is a throw-away PostgreSQL server on a Unix socket. It stops, and its
// files go, when this process ends, however it ends.
type Server struct {
	bin, dir  string
	as        *syscall.Credential // nil unless we are root, which PostgreSQL refuses
	databases atomic.Int64
	guard     *os.File // its closing, by the end of this process, stops the server
}

var errNoPostgres = errors.New("no initdb in PATH or /usr/lib/postgresql")

// server is the one server that all tests of this binary share.
var server = sync.OnceValues(NewServer)

// PostgresURL makes a fresh database on the test binary's server, which the
// first call starts. It skips the test where there is no PostgreSQL.
func PostgresURL(t testing.TB) string {
	t.Helper()
	s, err := server()
	if errors.Is(err, errNoPostgres) {
		t.Skip("not run on PostgreSQL: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s.NewDatabase(t)
}

// NewServer makes and starts a server of its own, for tests that stop it.
func NewServer() (*Server, error) {
	s := &Server{}
	var err error
	if s.bin, err = binaries(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp("/tmp", "daytwo-pg"); err != nil { // a socket's path must be short
		return nil, err
	}
	if os.Getuid() == 0 {
		if s.as, err = unprivileged(); err == nil {
			err = os.Chown(s.dir, int(s.as.Uid), int(s.as.Gid))
		}
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	if err := s.startGuard(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	err = s.run("initdb", "--pgdata", s.data(), "--username", "daytwo", "--auth", "trust",
		"--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	if err == nil {
		// The one role whose password is checked.
		err = s.shell(`f=$1/pg_hba.conf; (echo "local all guarded scram-sha-256"; cat $f) > $f.new && mv $f.new $f`)
	}
	if err == nil {
		err = s.Start()
	}
	return s, err
}

// Start starts a server that Stop stopped, and returns when it answers.
func (s *Server) Start() error {
	return s.run("pg_ctl", "start", "--wait", "--silent", "--pgdata", s.data(), "--log", filepath.Join(s.dir, "log"), "--options",
		"-c listen_addresses='' -c unix_socket_directories='"+s.dir+"' -c fsync=off -c max_connections=200 -c shared_buffers=16MB")
}

// Stop ends the server at once, as a crash would.
func (s *Server) Stop() error {
	return s.run("pg_ctl", "stop", "--wait", "--silent", "--pgdata", s.data(), "--mode", "immediate")
}

// BecomeStandby restarts the server as one that only reads.
func (s *Server) BecomeStandby() error {
	return errors.Join(s.Stop(), s.shell(`touch "$1"/standby.signal`), s.Start())
}

// Close stops the server for good and removes its files.
func (s *Server) Close() error { return s.guard.Close() }

// URL is that of the named database for the named user.
func (s *Server) URL(username, database string) string {
	return "postgres://" + username + "@/" + database + "?host=" + url.QueryEscape(s.dir)
}

// NewDatabase makes an empty database and answers its URL.
func (s *Server) NewDatabase(t testing.TB) string {
	t.Helper()
	return s.copyDatabase(t, "template1")
}

// copyDatabase makes a database that is as another one, which nobody uses, and
// answers its URL.
func (s *Server) copyDatabase(t testing.TB, of string) string {
	t.Helper()
	name := "t" + strconv.FormatInt(s.databases.Add(1), 10)
	s.Exec(t, "CREATE DATABASE "+name+" TEMPLATE "+of)
	return s.URL("daytwo", name)
}

// Exec runs a statement as the superuser.
func (s *Server) Exec(t testing.TB, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", s.URL("daytwo", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// startGuard starts a shell that waits for the end of its input, which is the
// end of this process, and then ends the server and removes its files.
func (s *Server) startGuard() error {
	input, guard, err := os.Pipe()
	if err != nil {
		return err
	}
	defer input.Close()
	cmd := s.command("/bin/sh", "-c", `trap '' INT TERM HUP; read _; "$0"/pg_ctl stop -s -m immediate -D "$1"/data; rm -rf "$1"`, s.bin, s.dir)
	cmd.Stdin = input
	s.guard = guard
	return cmd.Start()
}

func (s *Server) shell(script string) error {
	return output(s.command("/bin/sh", "-c", script, "sh", s.data()))
}

func (s *Server) run(name string, args ...string) error {
	return output(s.command(filepath.Join(s.bin, name), args...))
}

func (s *Server) command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as}
	return cmd
}

// output runs cmd with its output in a file: a server it leaves behind would
// keep a pipe open.
func output(cmd *exec.Cmd) error {
	f, err := os.CreateTemp("", "daytwo-pg-output")
	if err != nil {
		return err
	}
	defer f.Close()
	defer os.Remove(f.Name())
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(f.Name())
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, said)
	}
	return nil
}

// binaries finds the directory of the server's programs.
func binaries() (string, error) {
	if p, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(p), nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "", errNoPostgres
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// unprivileged is the user the server runs as when we are root.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(errUID, errGID); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL cannot run as root, and there is no user postgres or nobody")
}
