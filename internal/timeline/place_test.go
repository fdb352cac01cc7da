package timeline

import "testing"

func FuzzPlace(f *testing.F) {
	for _, s := range []string{"", ".", "0.0", "hkn0h7mcw0.2s", "-1.z", "1", "1.2.3", "zzzzzzzzzzzzzzzz.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePlace(s)
		if err != nil {
			return
		}
		if again, err := parsePlace(p.String()); err != nil || again != p {
			t.Errorf("%q → %v → %q → %v, %v", s, p, p.String(), again, err)
		}
	})
}
