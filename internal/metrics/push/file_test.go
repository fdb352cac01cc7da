package push

import "testing"

func FuzzDecode(f *testing.F) {
	good, err := encode(&group{labels: map[string]string{"job": "a"}, families: (&group{labels: map[string]string{"job": "a"}}).all()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("{}\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, content []byte) {
		one, err := decode(content)
		if err != nil {
			return
		}
		if _, err := encode(one); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}
