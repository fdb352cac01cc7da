// Package stability holds the patterns that keep one failing dependency from
// taking its callers down: circuit breaker, retry with a budget, timeout and
// bulkhead. It uses the standard library alone.
//
// Every pattern is a [Policy]. Policies compose, outermost first, around any
// call or around an [net/http.RoundTripper]:
//
//	client := &http.Client{Transport: stability.Transport(nil,
//		stability.NewRetry("payments", stability.Attempts(3)),
//		stability.NewBreaker("payments"),
//		stability.NewTimeout("payments", 2*time.Second),
//	)}
//
// Here each attempt is bounded by the timeout and counted by the breaker, and
// the retry goes around both.
//
// Policies decide with the caller in mind: a call that ended because its own
// context was canceled or ran out of time says nothing about the dependency
// and never counts as a failure. The deadline of a [Timeout] does count.
//
// What a policy decided is readable at any time as a [Snapshot].
package stability
