package run

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/daytwo-dev/daytwo/internal/store"
)

// Whatever a command writes, in whatever pieces: no secret gets through, no line
// is too long, and without secrets no byte is lost.
func FuzzLineWriter(f *testing.F) {
	f.Add("plain\ntext", "", uint16(3), uint16(1))
	f.Add("token=s3cr3t-value\r\n\n", "s3cr3t-value", uint16(9), uint16(2))
	f.Add("xxxx secret", "secret", uint16(17), uint16(4000))
	f.Add("\x80\x80\x80", "", uint16(511), uint16(16000))
	f.Add("äsecret", "secret", uint16(4), uint16(8000))
	f.Fuzz(func(t *testing.T, text, secret string, piece, times uint16) {
		if len(text) > 1000 {
			t.Skip("long texts come from times")
		}
		text = strings.Repeat(text, min(int(times), 3*maxLine/(len(text)+1)))
		l := newRunLog(&mask{}, 1<<40, 0, 0)
		l.mask.add(secret)
		x := &execution{mask: l.mask, log: l}
		w := (&Task{x: x}).writer(Out)
		var lines []string
		keep := func() {
			for _, line := range l.take() {
				lines = append(lines, line.Text)
			}
		}
		for rest := text; rest != ""; {
			n := min(len(rest), int(piece)%512+1)
			_, _ = w.Write([]byte(rest[:n]))
			rest = rest[n:]
			keep()
		}
		w.flush()
		keep()
		for _, line := range lines {
			if len(line) > maxLine+len(secret)+utf8Growth(line) {
				t.Errorf("a line has %d bytes", len(line))
			}
		}
		got := strings.Join(lines, "")
		if l.mask.longest == 0 {
			want := store.Text(strings.NewReplacer("\n", "", "\r", "").Replace(text))
			if strings.ReplaceAll(got, "\r", "") != want && strings.ToValidUTF8(text, "") == text && len(text) < maxLine {
				t.Errorf("wrote %q, got %q", text, got)
			}
			return
		}
		for _, s := range l.mask.secrets {
			for _, line := range lines {
				if store.Text(s) == s && strings.Contains(line, s) && !strings.Contains(masked, s) && !overlaps(s) {
					t.Errorf("secret %q is in %q", s, line)
				}
			}
		}
	})
}

// utf8Growth bounds how much longer mending makes a line: three bytes for one.
func utf8Growth(line string) int { return 3 * strings.Count(line, "\uFFFD") }

// overlaps tells whether masking s may put it together anew from what is left
// and right of the mask, as with "a***".
func overlaps(s string) bool { return strings.Contains(s, "*") }

// A store that does not keep up costs lines, counted, and nobody hangs.
func TestSlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newRunLog(&mask{}, 1<<40, 0, 0)
		l.say("", Out, strings.Repeat("line\n", maxPending+5))
		lines := l.take()
		if len(lines) != maxPending+1 || lines[maxPending].Text != "5 lines are missing here: they could not be stored in time" {
			t.Fatalf("%d lines, last %+v", len(lines), lines[len(lines)-1])
		}
		l.putBack(lines)
		l.say("", Out, "more\n")
		l.close()
		l.say("", Out, "nobody listens")
		if omitted, lost := l.missing(); omitted != 0 || lost != 6 {
			t.Errorf("omitted %d, lost %d", omitted, lost)
		}
		for i, line := range l.take() {
			if line.Seq != int64(i+1) {
				t.Errorf("line %d has seq %d", i, line.Seq)
			}
		}
	})
}
