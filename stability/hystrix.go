package stability

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// HystrixStream serves the board's breakers as the metrics event stream of
// Hystrix (text/event-stream, one HystrixCommand a breaker and period), which
// its dashboard and Turbine read. Bulkheads, timeouts and fallbacks of the
// same name are part of the command. The query parameter delay is the period
// in milliseconds; default 500, at least 100. The stream goes on until the
// client leaves.
//
// How long calls take is measured only while somebody reads the stream: the
// mean and the percentiles are those of the last minute, and of the time from
// the breaker's leave to the call's end, which is both the execution and the
// total (as with Hystrix's semaphores: there is no queue between the two).
func (b *Board) HystrixStream() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		period := 500 * time.Millisecond
		if ms, err := strconv.Atoi(r.URL.Query().Get("delay")); err == nil {
			period = time.Duration(min(max(ms, 100), 60_000)) * time.Millisecond
		}
		w.Header().Set("Content-Type", "text/event-stream;charset=UTF-8")
		w.Header().Set("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate")
		control := http.NewResponseController(w)
		tick := time.NewTicker(period)
		defer tick.Stop()
		var seen history
		measured := map[*Breaker]bool{}
		defer func() {
			for m := range measured {
				m.stopTiming()
			}
		}()
		for {
			var out bytes.Buffer
			breakers := b.breakers()
			for _, m := range breakers {
				if !measured[m] {
					measured[m] = true
					m.startTiming()
				}
			}
			for _, c := range seen.commands(b.Snapshots(), breakers, time.Now()) {
				data, err := json.Marshal(c)
				if err != nil {
					return
				}
				fmt.Fprintf(&out, "data: %s\n\n", data)
			}
			if out.Len() == 0 {
				out.WriteString("ping: \n\n")
			}
			if _, err := w.Write(out.Bytes()); err != nil || control.Flush() != nil {
				return
			}
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
		}
	})
}

const hystrixWindow = 10 * time.Second

// history keeps the counts of the last ten seconds, for rolling counts.
type history struct{ moments []moment }

type moment struct {
	at     time.Time
	counts map[string]uint64 // policy, name and decision
}

func countKey(policy, name, decision string) string {
	return policy + "\x00" + name + "\x00" + decision
}

func (h *history) commands(all []Snapshot, breakers []*Breaker, at time.Time) []map[string]any {
	m := moment{at: at, counts: map[string]uint64{}}
	levels := map[string]float64{}
	for _, s := range all {
		for d, n := range s.Counts {
			m.counts[countKey(s.Policy, s.Name, d)] = n
		}
		for l, v := range s.Levels {
			levels[countKey(s.Policy, s.Name, l)] = v
		}
	}
	h.moments = append(h.moments, m)
	for len(h.moments) > 1 && at.Sub(h.moments[1].at) >= hystrixWindow {
		h.moments = h.moments[1:]
	}
	old := h.moments[0].counts
	var out []map[string]any
	for _, s := range all {
		if s.Policy != "breaker" {
			continue
		}
		rolling := func(policy, decision string) uint64 {
			k := countKey(policy, s.Name, decision)
			return m.counts[k] - min(m.counts[k], old[k])
		}
		c := command(s, at, rolling, levels[countKey("bulkhead", s.Name, "in_flight")])
		tell(c, s.Name, breakers)
		out = append(out, c)
	}
	return out
}

// hystrixQuantiles are the percentiles that a command has.
var hystrixQuantiles = []string{"0", "25", "50", "75", "90", "95", "99", "99.5", "100"}

// tell adds to a command what the breakers of a name know beyond their
// snapshots: how long calls take, in milliseconds, and how they are configured.
func tell(command map[string]any, name string, breakers []*Breaker) {
	var timed timingSlice
	var c breakerConfig
	for _, b := range breakers {
		if b.name == name {
			of := b.timed()
			timed.merge(&of)
			c = *b.config.Load()
		}
	}
	percentiles := map[string]int64{}
	for _, p := range hystrixQuantiles {
		share, _ := strconv.ParseFloat(p, 64) // they are numbers
		percentiles[p] = milliseconds(timed.quantile(share / 100))
	}
	for _, of := range []string{"latencyExecute", "latencyTotal"} {
		command[of], command[of+"_mean"] = percentiles, milliseconds(timed.mean())
	}
	command["propertyValue_circuitBreakerErrorThresholdPercentage"] = int(math.Round(100 * c.ratio))
	command["propertyValue_circuitBreakerRequestVolumeThreshold"] = c.minCalls
	command["propertyValue_circuitBreakerSleepWindowInMilliseconds"] = c.openFor.Milliseconds()
}

func milliseconds(d time.Duration) int64 { return d.Round(time.Millisecond).Milliseconds() }

// command has, with those of tell, the fields of
// com.netflix.hystrix.contrib.metrics.eventstream that the dashboard reads, all
// of them: it does not draw without.
func command(s Snapshot, at time.Time, rolling func(policy, decision string) uint64, inFlight float64) map[string]any {
	timeouts := rolling("timeout", "timeout")
	success, failure := rolling("breaker", "success"), rolling("breaker", "failure")
	failure -= min(failure, timeouts) // a time-out is counted as itself
	shortCircuited, full := rolling("breaker", "rejected"), rolling("bulkhead", "rejected")
	errors := failure + timeouts + shortCircuited + full
	requests := success + errors
	percentage := uint64(0)
	if requests > 0 {
		percentage = 100 * errors / requests
	}
	return map[string]any{
		"type": "HystrixCommand", "name": s.Name, "group": s.Name, "threadPool": s.Name, "currentTime": at.UnixMilli(),
		"isCircuitBreakerOpen": s.State == Open.String(),
		"errorPercentage":      percentage, "errorCount": errors, "requestCount": requests,
		"rollingCountBadRequests": 0, "rollingCountCollapsedRequests": 0, "rollingCountEmit": 0,
		"rollingCountExceptionsThrown": failure, "rollingCountFailure": failure,
		"rollingCountFallbackEmit": 0, "rollingCountFallbackFailure": rolling("fallback", "failed"),
		"rollingCountFallbackMissing": 0, "rollingCountFallbackRejection": 0,
		"rollingCountFallbackSuccess":    rolling("fallback", "fallback") - rolling("fallback", "failed"),
		"rollingCountResponsesFromCache": 0, "rollingCountSemaphoreRejected": full, "rollingCountShortCircuited": shortCircuited,
		"rollingCountSuccess": success, "rollingCountThreadPoolRejected": 0, "rollingCountTimeout": timeouts,
		"rollingMaxConcurrentExecutionCount": inFlight, "currentConcurrentExecutionCount": inFlight,
		"propertyValue_circuitBreakerEnabled": true, "propertyValue_circuitBreakerForceOpen": false, "propertyValue_circuitBreakerForceClosed": false,
		"propertyValue_executionIsolationStrategy":                       "SEMAPHORE",
		"propertyValue_executionIsolationThreadTimeoutInMilliseconds":    0,
		"propertyValue_executionTimeoutInMilliseconds":                   0,
		"propertyValue_executionIsolationThreadInterruptOnTimeout":       false,
		"propertyValue_executionIsolationThreadPoolKeyOverride":          nil,
		"propertyValue_executionIsolationSemaphoreMaxConcurrentRequests": 0,
		"propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests":  0,
		"propertyValue_metricsRollingStatisticalWindowInMilliseconds":    hystrixWindow.Milliseconds(),
		"propertyValue_requestCacheEnabled":                              false,
		"propertyValue_requestLogEnabled":                                false,
		"reportingHosts":                                                 1,
	}
}
