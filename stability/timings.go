package stability

import (
	"math"
	"time"
)

// timings tells how long calls took over about the last minute, the rolling
// percentiles of a Hystrix command. It is kept only while somebody reads them.
type timings struct {
	slices [timingSlices]timingSlice
	at     int64 // number of the current slice
}

const (
	timingSlices = 6
	timingWidth  = 10 * time.Second
)

// timingSlice is a histogram with eight buckets to each doubling, from 1 µs.
type timingSlice struct {
	buckets     [latencyBuckets]uint32
	n           uint64
	sum         time.Duration
	least, most time.Duration
}

// turn empties the slices that time has passed; a time before the current slice
// counts as in it.
func (t *timings) turn(now time.Duration) {
	at := int64(now / timingWidth)
	for n := min(at-t.at, timingSlices); n > 0; n-- {
		t.slices[(at-n+1)%timingSlices] = timingSlice{}
	}
	t.at = max(t.at, at)
}

func (t *timings) add(now, took time.Duration) {
	t.turn(now)
	s := &t.slices[t.at%timingSlices]
	if s.n == 0 || took < s.least {
		s.least = took
	}
	s.most = max(s.most, took)
	s.buckets[latencyBucket(took)]++
	s.n++
	s.sum += took
}

// whole is all slices in one.
func (t *timings) whole(now time.Duration) timingSlice {
	t.turn(now)
	var all timingSlice
	for i := range t.slices {
		all.merge(&t.slices[i])
	}
	return all
}

// merge adds the calls of another.
func (s *timingSlice) merge(other *timingSlice) {
	if other.n == 0 {
		return
	}
	if s.n == 0 || other.least < s.least {
		s.least = other.least
	}
	s.most = max(s.most, other.most)
	s.n += other.n
	s.sum += other.sum
	for i, n := range other.buckets {
		s.buckets[i] += n
	}
}

// mean is 0 without calls.
func (s *timingSlice) mean() time.Duration {
	if s.n == 0 {
		return 0
	}
	return s.sum / time.Duration(s.n)
}

// quantile is exact for 0 and 1, and at most 9 % too high between; 0 without
// calls.
func (s *timingSlice) quantile(q float64) time.Duration {
	switch {
	case s.n == 0:
		return 0
	case q <= 0:
		return s.least
	case q >= 1:
		return s.most
	}
	rest := uint64(math.Ceil(q * float64(s.n)))
	for i, n := range s.buckets {
		if uint64(n) >= rest {
			return min(max(latencyBound(i), s.least), s.most)
		}
		rest -= uint64(n)
	}
	return s.most
}
