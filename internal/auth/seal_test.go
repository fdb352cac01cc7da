package auth_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

func TestSeal(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, file := t.Context(), filepath.Join(t.TempDir(), "secret.key")
		a, err := auth.New(ctx, auth.Config{DB: db, KeyFile: file})
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("key file %v, %v", info.Mode(), err)
		}
		sealed, err := a.Seal("notify/smtp", []byte("hunter2"))
		if err != nil || strings.Contains(sealed, "hunter2") {
			t.Fatalf("sealed %q, %v", sealed, err)
		}
		if again, _ := a.Seal("notify/smtp", []byte("hunter2")); again == sealed {
			t.Error("sealed twice it looks the same")
		}

		// A restart opens what was sealed before; so does the key by value.
		key, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []auth.Config{{DB: db, KeyFile: file}, {DB: db, SecretKey: strings.TrimSpace(string(key))}} {
			a, err = auth.New(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := a.Open("notify/smtp", sealed); err != nil || string(got) != "hunter2" {
				t.Errorf("opened %q, %v", got, err)
			}
		}

		_, err = a.Open("notify/sms", sealed)
		wantCode(t, "another purpose", err, problem.Conflict)
		for _, damaged := range []string{"", "v1.", "v1.AAAA", sealed[:len(sealed)-2], "v2." + sealed[3:], flip(sealed)} {
			_, err := a.Open("notify/smtp", damaged)
			wantCode(t, damaged, err, problem.Conflict)
		}

		// Not the key of this data: refused at start, nothing overwritten.
		other := base64.StdEncoding.EncodeToString(make([]byte, 32))
		_, err = auth.New(ctx, auth.Config{DB: db, SecretKey: other})
		wantCode(t, "another key", err, problem.Conflict)
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		_, err = auth.New(ctx, auth.Config{DB: db, KeyFile: file})
		wantCode(t, "the key file is gone", err, problem.Conflict)
		if _, err := os.Stat(file); err == nil {
			t.Error("a new key was put in the place of the lost one")
		}
	})
}

func flip(sealed string) string {
	last := byte('A')
	if sealed[len(sealed)-8] == 'A' {
		last = 'B'
	}
	return sealed[:len(sealed)-8] + string(last) + sealed[len(sealed)-7:]
}

func TestKeyInput(t *testing.T) {
	for _, bad := range []string{"x", "not base64!", base64.StdEncoding.EncodeToString(make([]byte, 31))} {
		_, err := auth.New(t.Context(), auth.Config{DB: storetest.New(t), SecretKey: bad})
		wantCode(t, bad, err, problem.Invalid)
		if strings.Contains(err.Error(), bad+" ") {
			t.Errorf("%q shows the key", err)
		}
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = auth.New(t.Context(), auth.Config{DB: storetest.New(t), KeyFile: file})
		wantCode(t, bad, err, problem.Invalid)
	}
	_, err := auth.New(t.Context(), auth.Config{DB: storetest.New(t), KeyFile: filepath.Join(t.TempDir(), "missing", "key")})
	wantCode(t, "no directory", err, problem.Unavailable)
	_, err = auth.New(t.Context(), auth.Config{DB: storetest.New(t), KeyFile: t.TempDir()})
	wantCode(t, "a directory", err, problem.Unavailable)

	a := open(t, storetest.New(t), newClock())
	_, err = a.Seal("x", nil)
	wantCode(t, "seal without a key", err, problem.Unavailable)
	_, err = a.Open("x", "v1.")
	wantCode(t, "open without a key", err, problem.Unavailable)
}
