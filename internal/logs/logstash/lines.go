package logstash

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
)

// maxLine is the longest line that is read as one; what is longer comes in pieces with a tag.
const maxLine = 4 << 20

// readLines gives every line of a stream without its end. cut tells that the line was longer and goes on. It ends without an error at the end of
// the stream.
func readLines(r io.Reader, delimiter string, give func(line []byte, cut bool) error) error {
	if delimiter == "" {
		delimiter = "\n"
	}
	end := delimiter[len(delimiter)-1]
	in := bufio.NewReaderSize(r, 64<<10)
	var line []byte
	for {
		piece, err := in.ReadSlice(end)
		line = append(line, piece...)
		switch {
		case err == nil && bytes.HasSuffix(line, []byte(delimiter)):
			if err := give(line[:len(line)-len(delimiter)], false); err != nil {
				return err
			}
			line = line[:0]
		case err == nil || errors.Is(err, bufio.ErrBufferFull):
			if len(line) >= maxLine {
				if err := give(line, true); err != nil {
					return err
				}
				line = line[:0]
			}
		default:
			if len(line) > 0 {
				if err := give(line, false); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

// decodeStream decodes a stream's lines into the intake. touch changes each event before.
func decodeStream(ctx context.Context, r io.Reader, c *codec, in *intake, touch func(*Event)) error {
	d := c.decoder()
	var failed error
	emit := func(e *Event) {
		if touch != nil {
			touch(e)
		}
		if err := in.give(ctx, e); err != nil && failed == nil {
			failed = err
		}
	}
	err := readLines(r, c.delimiter, func(line []byte, cut bool) error {
		d.line(line, func(e *Event) {
			if cut {
				e.tag("_linetoolong")
			}
			emit(e)
		})
		return failed
	})
	d.flush(emit)
	return errors.Join(err, failed)
}
