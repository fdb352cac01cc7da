package app

import (
	"context"
	"runtime/debug"
	"time"
)

// afterStart is when a start is over: everything is ready, and has run once.
const afterStart = 5 * time.Second

// settle gives back, once, the memory that only the start needed.
func settle(ctx context.Context) error {
	select {
	case <-time.After(afterStart):
		debug.FreeOSMemory()
		giveBackProgram()
	case <-ctx.Done():
	}
	<-ctx.Done()
	return nil
}
