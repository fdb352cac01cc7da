package run

import (
	"errors"
	"io"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	cases := []struct {
		err, cause error
		want       verdict
	}{
		{nil, nil, verdict{Succeeded, ""}},
		{nil, canceled{"ada"}, verdict{Succeeded, ""}}, // it got through in time
		{io.EOF, nil, verdict{Failed, "EOF"}},
		{io.EOF, errors.New("a step's own"), verdict{Failed, "EOF"}},
		{io.EOF, canceled{"ada"}, verdict{Canceled, "canceled by ada"}},
		{io.EOF, timedOut{time.Second}, verdict{Failed, "timed out after 1s"}},
		{io.EOF, errStopping, verdict{Interrupted, "daytwo stopped while this ran"}},
	}
	for _, c := range cases {
		if got := judge(c.err, c.cause); got != c.want {
			t.Errorf("judge(%v, %v) = %v, want %v", c.err, c.cause, got, c.want)
		}
	}
}

func TestAfterCrash(t *testing.T) {
	cases := []struct {
		known, resumable bool
		canceledBy       string
		crashes          int
		want             Status
	}{
		{true, true, "", 0, Queued},
		{true, true, "", 9, Queued},
		{true, true, "", 10, Failed},
		{true, true, "ada", 0, Canceled},
		{true, false, "", 0, Interrupted},
		{true, false, "ada", 0, Canceled},
		{false, false, "", 0, Interrupted},
	}
	for _, c := range cases {
		got := afterCrash(c.known, c.resumable, c.canceledBy, c.crashes)
		if got.status != c.want || got.reason == "" {
			t.Errorf("afterCrash(%v, %v, %q, %d) = %v, want %s", c.known, c.resumable, c.canceledBy, c.crashes, got, c.want)
		}
	}
}
