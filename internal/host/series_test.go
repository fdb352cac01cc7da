package host

import (
	"math"
	"testing"
	"time"

	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"
	"github.com/prometheus/client_golang/prometheus"
)

// A disk that is taken out ends its series at once, by the mark that Prometheus
// knows, and only once.
func TestSeriesThatAreGoneEnd(t *testing.T) {
	reg := prometheus.NewRegistry()
	disk := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "node_disk_io_now"}, []string{"device"})
	reg.MustRegister(disk)
	disk.WithLabelValues("sda").Set(1)
	disk.WithLabelValues("sdb").Set(2)
	s := newSeries("node", "a")
	stale := func() int {
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, series := range s.request(families, time.Unix(1, 0), 0).Timeseries {
			if math.Float64bits(series.Samples[0].Value) == staleBits {
				n++
			}
		}
		return n
	}
	if n := stale(); n != 0 {
		t.Errorf("%d series ended at first", n)
	}
	disk.DeleteLabelValues("sdb")
	if n := stale(); n != 1 {
		t.Errorf("%d series ended when the disk was gone, want 1", n)
	}
	if n := stale(); n != 0 {
		t.Errorf("%d series ended again", n)
	}
}

func TestQueueKeepsTheNewest(t *testing.T) {
	q := newQueue(2)
	var sent []*writev2.Request
	for range 3 {
		sent = append(sent, &writev2.Request{})
	}
	if q.push(sent[0]) || q.push(sent[1]) || !q.push(sent[2]) {
		t.Error("the third of a queue of two should push one out, the others none")
	}
	for _, want := range sent[1:] {
		if got, ok := q.pop(t.Context()); !ok || got != want {
			t.Error("the queue lost its order")
		}
	}
}
