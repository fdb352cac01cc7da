// Package stability holds the patterns that keep one failing dependency from
// taking its callers down. It uses the standard library alone.
//
// Every pattern around a call is a [Policy]. Policies compose, outermost first,
// around any call or around an [net/http.RoundTripper]:
//
//	client := &http.Client{Transport: stability.Transport(nil,
//		stability.NewRetry("payments", stability.Attempts(3)),
//		stability.NewBreaker("payments"),
//		stability.NewTimeout("payments", 2*time.Second),
//	)}
//
// Here each attempt is bounded by the timeout and counted by the breaker, and
// the retry goes around both. [Compose] makes one policy of several, [Call]
// makes a call that returns a value, [Handler] wraps a server.
//
// # Which one
//
// A dependency that fails: [Breaker], [Retry], [Fallback], [Backends]. One
// that is slow: [Timeout], [Hedge], [Breaker] with [TripWhenSlow]. One that
// everybody asks the same: [Flight], [Batch]. Too much to do: [Bulkhead],
// [RateLimit], [Adaptive], [Shed], [Throttle], [FailFast], [Handshake].
// Time itself: [Supervisor], [Janitor].
//
// # Whose fault
//
// Policies decide with the caller in mind: a call that ended because its own
// context was canceled or ran out of time says nothing about the dependency
// and never counts as a failure. The deadline of a [Timeout] does count.
//
// # Watching
//
// What a policy decided is readable at any time as a [Snapshot], told as it
// happens as an [Event], and shown by a [Board] to Prometheus and to whatever
// reads a Hystrix stream. Most policies have a Configure method, which changes
// a living one.
package stability
