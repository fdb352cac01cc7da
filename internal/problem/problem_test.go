package problem_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestNewKeepsCauses(t *testing.T) {
	one := problem.New(problem.Unavailable, "read %s: %w", "a.yml", io.ErrUnexpectedEOF)
	if got, want := one.Error(), "read a.yml: unexpected EOF"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
	if !errors.Is(one, io.ErrUnexpectedEOF) {
		t.Error("the cause is lost")
	}
	two := problem.New(problem.Unavailable, "%w and %w", io.EOF, fs.ErrExist)
	if !errors.Is(two, io.EOF) || !errors.Is(two, fs.ErrExist) {
		t.Error("one of two causes is lost")
	}
	if none := problem.New(problem.Invalid, "100%% wrong"); none.Err != nil || none.Message != "100% wrong" {
		t.Errorf("without a cause: %+v", none)
	}
}

func TestWithCopies(t *testing.T) {
	e := problem.New(problem.Invalid, "no")
	mended := e.WithMend("write %d", 1).WithField("name")
	if e.Mend != "" || e.Field != "" {
		t.Errorf("the original changed: %+v", e)
	}
	if mended.Mend != "write 1" || mended.Field != "name" || mended.Message != "no" {
		t.Errorf("the copy is %+v", mended)
	}
}

func TestFrom(t *testing.T) {
	ours := problem.New(problem.NotFound, "no service %q", "shop")
	for _, c := range []struct {
		name string
		err  error
		code problem.Code
		msg  string
	}{
		{"ours", ours, problem.NotFound, ours.Message},
		{"wrapped", fmt.Errorf("page: %w", ours), problem.NotFound, ours.Message},
		{"joined", errors.Join(io.EOF, ours), problem.NotFound, ours.Message},
		{"cancelled", fmt.Errorf("query: %w", context.Canceled), problem.Unavailable, "the request was cancelled"},
		{"expired", fmt.Errorf("query: %w", context.DeadlineExceeded), problem.Unavailable, "the request took too long"},
		{"foreign", errors.New("password is hunter2"), problem.Internal, "something went wrong inside daytwo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := problem.From(c.err)
			if got.Code != c.code || got.Message != c.msg || problem.CodeOf(c.err) != c.code {
				t.Errorf("got %s %q, want %s %q", got.Code, got.Message, c.code, c.msg)
			}
			if c.name == "foreign" && !errors.Is(got, c.err) {
				t.Error("the log loses the cause")
			}
		})
	}
	if problem.From(nil) != nil || problem.CodeOf(nil) != "" {
		t.Error("nil is a problem")
	}
}
