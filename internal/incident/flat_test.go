package incident_test

import (
	"bytes"
	"encoding/json"
)

// flat is a value as its JSON says it.
func flat(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	var out any
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&out); err != nil {
		return err.Error()
	}
	return out
}
