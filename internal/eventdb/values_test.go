package eventdb

import (
	"hash/maphash"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// A text that became a prefix and a number keeps its slot among the texts. One
// whose hash is the same is another value.
func TestTextsThatCollideWithWhatBecameANumber(t *testing.T) {
	var x valueIndex
	order := x.id(event.String("order-987654321012345678"))
	if _, ok := x.prefix("order-"); !ok {
		t.Fatal("the prefix is not taken")
	}
	hash := maphash.String(x.texts.seed, "else") >> 32
	mask := uint64(len(x.texts.slots) - 1)
	x.texts.slots[hash&mask] = hash<<32 | uint64(order+1) // as if the hashes were the same
	other := x.id(event.String("else"))
	if other == order || x.value(other).String() != "else" || x.value(order).String() != "order-987654321012345678" {
		t.Errorf("%d is %v, %d is %v", order, x.value(order), other, x.value(other))
	}
}
