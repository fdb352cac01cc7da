package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gogo/protobuf/proto"
	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
)

// perRequest is what Prometheus's queues send at once by default.
const perRequest = 2000

const step = 15 * time.Second

// load is samples of many series at many times.
type load struct {
	metric string
	series int
	times  int
	begin  time.Time
	v2     bool
}

func (l load) samples() int { return l.series * l.times }

// pairs are the labels of a series, about as many as an HTTP counter of an application has.
func (l load) pairs(i int) []string {
	return []string{"__name__", l.metric, "code", fmt.Sprint(200 + i%5), "group", fmt.Sprint("group-", i%50), "handler", fmt.Sprint("/api/v1/handler/", i%200),
		"instance", fmt.Sprintf("10.0.%d.%d:8080", i/250%250, i%250), "job", "bench", "method", "GET", "series", fmt.Sprint(i)}
}

func value(i, t int) float64 { return float64(t*(i%17+1)) + float64(i%7)/8 }

// send brings every sample to a server, two requests at once, time after time as scraping would.
func (l load) send(s *server) error {
	kind := "application/x-protobuf"
	if l.v2 {
		kind += ";proto=io.prometheus.write.v2.Request"
	}
	type job struct{ from, t int }
	var group sync.WaitGroup
	failed := make(chan error, 2)
	for t := range l.times {
		jobs := make(chan job, l.series/perRequest+1)
		for from := 0; from < l.series; from += perRequest {
			jobs <- job{from, t}
		}
		close(jobs)
		for range 2 {
			group.Go(func() {
				for j := range jobs {
					body, err := l.encode(j.from, min(j.from+perRequest, l.series), j.t)
					if err == nil {
						err = post(s.url+"/api/v1/write", kind, body)
					}
					if err != nil {
						select {
						case failed <- err:
						default:
						}
						return
					}
				}
			})
		}
		group.Wait()
		select {
		case err := <-failed:
			return err
		default:
		}
	}
	return nil
}

func (l load) encode(from, to, t int) ([]byte, error) {
	at := l.begin.Add(time.Duration(t) * step).UnixMilli()
	var message proto.Message
	if l.v2 {
		table, req := writev2.NewSymbolTable(), &writev2.Request{}
		for i := from; i < to; i++ {
			var refs []uint32
			for _, s := range l.pairs(i) {
				refs = append(refs, table.Symbolize(s))
			}
			req.Timeseries = append(req.Timeseries, writev2.TimeSeries{LabelsRefs: refs, Samples: []writev2.Sample{{Timestamp: at, Value: value(i, t)}}})
		}
		req.Symbols = table.Symbols()
		message = req
	} else {
		req := &prompb.WriteRequest{}
		for i := from; i < to; i++ {
			var labels []prompb.Label
			for pairs := l.pairs(i); len(pairs) > 0; pairs = pairs[2:] {
				labels = append(labels, prompb.Label{Name: pairs[0], Value: pairs[1]})
			}
			req.Timeseries = append(req.Timeseries, prompb.TimeSeries{Labels: labels, Samples: []prompb.Sample{{Timestamp: at, Value: value(i, t)}}})
		}
		message = req
	}
	body, err := proto.Marshal(message)
	return snappy.Encode(nil, body), err
}

func post(url, kind string, body []byte) error {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Content-Encoding", "snappy")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if answer, _ := io.ReadAll(res.Body); res.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %.300s", res.Status, answer)
	}
	return nil
}
