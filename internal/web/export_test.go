package web

import "time"

// Streams for tests: short beats, little patience, few at once.
func (s *Server) TuneStreams(heartbeat, patience time.Duration, most int) {
	s.streams.heartbeat, s.streams.patience = heartbeat, patience
	s.streams.open = make(chan struct{}, most)
}

// WithoutNilSlices for tests.
func WithoutNilSlices[T any](v T) T { return withoutNilSlices(v) }
