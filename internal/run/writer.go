package run

import (
	"bytes"
	"io"
	"sync"
)

// maxLine is where a longer line is broken.
const maxLine = 16 << 10

// lineWriter turns a byte stream into lines of the log.
type lineWriter struct {
	task   *Task
	stream string

	mu  sync.Mutex
	buf []byte
}

// Write never fails.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for rest := p; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		w.buf = append(w.buf, line...)
		w.breakLong()
		if whole {
			w.emit()
		}
		rest = after
	}
	return len(p), nil
}

// ReadFrom writes what r has and takes its end for the end of a line: so the
// last words of a command are in the log as soon as it is done.
func (w *lineWriter) ReadFrom(r io.Reader) (n int64, err error) {
	defer w.flush()
	return io.Copy(struct{ io.Writer }{w}, r)
}

// breakLong writes the beginning of a line that is too long. What may be the
// beginning of a secret stays until its end is there to be recognised.
func (w *lineWriter) breakLong() {
	if len(w.buf) <= maxLine+w.task.x.mask.held() {
		return
	}
	text := w.task.x.mask.apply(string(w.buf))
	for len(text) > maxLine+w.task.x.mask.held() {
		at := runeStart(text, maxLine)
		w.task.say(w.stream, text[:at])
		text = text[at:]
	}
	w.buf = append(w.buf[:0], text...)
}

func (w *lineWriter) emit() {
	w.task.x.log.add(w.task.path, w.stream, string(bytes.TrimRight(w.buf, "\r")))
	w.buf = w.buf[:0]
}

// flush writes a line that has no end yet.
func (w *lineWriter) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.buf) > 0 {
		w.emit()
	}
}
